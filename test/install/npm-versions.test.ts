/**
 * A checkout is installed and run with the npm and the Node that people have. Both come from the npm registry, into a
 * temporary folder; npm's own cache is used.
 */
import assert from "node:assert/strict";
import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, describe, test } from "node:test";

const ROOT = join(import.meta.dirname, "../..");
const VERSION = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")).version as string;

/** The machine's own npm is the newest, and the other tests run under it. */
const MACHINES = [
  { who: "Debian 12", node: "18.20.4", npm: "9.2.0" },
  { who: "Debian 13", node: "20.18.1", npm: "9.2.0" },
  { who: "Node 18 with the last npm that runs on it", node: "18.20.4", npm: "10.8.2" },
  { who: "the npm that comes with Node 22", node: "20.18.1", npm: "10.9.2" },
  { who: "an early npm 11", node: "20.18.1", npm: "11.0.0" },
] as const;

const PATIENCE_MS = 300_000;
const folder = mkdtempSync(join(tmpdir(), "hawser-npm-versions-"));
after(() => rmSync(folder, { recursive: true }));
const tools = join(folder, "tools");
const checkout = join(folder, "checkout");
const missing = fetchTools();
const globalConfig = spawnSync("npm", ["config", "get", "globalconfig"], { encoding: "utf8" }).stdout.trim();

/** Every npm and Node in one folder. @returns why not, if there is no registry to have them from */
function fetchTools(): string | undefined {
  mkdirSync(tools);
  const packages = [
    ...new Set(
      MACHINES.flatMap(({ node, npm }) => [
        `node-${node}@npm:node-linux-${process.arch}@${node}`,
        `npm-${npm}@npm:npm@${npm}`,
      ]),
    ),
  ];
  const args = ["install", "--prefer-offline", "--no-audit", "--no-fund", "--fetch-retries=1", ...packages];
  const { status, stderr } = spawnSync("npm", args, { cwd: tools, encoding: "utf8", timeout: PATIENCE_MS });
  if (status === 0) return undefined;
  if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|ETIMEDOUT/.test(stderr))
    return "the npm registry is not reachable";
  throw new Error(`npm ${args.join(" ")}: ${stderr}`);
}

/** The checkout as `git clone` leaves it: nothing installed, nothing built. */
function copyCheckout(): void {
  rmSync(checkout, { recursive: true, force: true });
  const made = new Set([".git", "node_modules", "dist", "artifacts", join(ROOT, "man")]);
  const filter = (file: string) =>
    !made.has(basename(file)) && !made.has(file) && !file.endsWith(".tsbuildinfo");
  cpSync(ROOT, checkout, { recursive: true, filter });
}

/**
 * An environment where `node`, `npm` and `npx` are these, and nothing is left of the npm and the Node that run the tests,
 * but the machine's settings of npm: its registry, its proxy, its certificates.
 */
function environment(machine: (typeof MACHINES)[number]): NodeJS.ProcessEnv {
  const bin = join(folder, `bin-${machine.node}-${machine.npm}`);
  mkdirSync(bin);
  symlinkSync(join(tools, `node_modules/node-${machine.node}/bin/node`), join(bin, "node"));
  for (const name of ["npm", "npx"])
    symlinkSync(join(tools, `node_modules/npm-${machine.npm}/bin/${name}-cli.js`), join(bin, name));
  return {
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(npm|NODE)_/.test(name))),
    PATH: `${bin}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
    npm_config_globalconfig: globalConfig,
    npm_config_prefer_offline: "true",
  };
}

describe("installed and run with", { skip: missing ?? false }, () => {
  for (const machine of MACHINES) {
    test(`${machine.who}: npm ${machine.npm}, Node ${machine.node}`, () => {
      copyCheckout();
      const env = environment(machine);
      const run = (command: string, ...args: string[]): SpawnSyncReturns<string> => {
        const result = spawnSync(command, args, {
          cwd: checkout,
          env,
          encoding: "utf8",
          timeout: PATIENCE_MS,
        });
        assert.equal(result.status, 0, `${command} ${args.join(" ")}: ${result.stdout}${result.stderr}`);
        return result;
      };
      assert.equal(run("node", "--version").stdout, `v${machine.node}\n`);
      assert.equal(run("npm", "--version").stdout, `${machine.npm}\n`);

      assert.doesNotMatch(run("npm", "ci").stderr, /EBADENGINE/);
      run("npm", "run", "build");
      assert.ok(existsSync(join(checkout, "man/hawser-local.1")));
      for (const name of ["hawser-local", "hawser-remote"])
        assert.equal(run("npx", name, "--version").stdout, `${VERSION}\n`);
      if (machine === MACHINES[0]) {
        // Each installs and builds what is missing, which is nothing.
        const { stdout } = run("npm", "start", "--", "--help");
        assert.match(stdout, /--once/);
        assert.doesNotMatch(stdout, /installing npm packages/);
        assert.match(
          run("npm", "test", "--", "test/repository/packages").stdout,
          /\n[1-9]\d* passed, 0 failed/,
        );
        // Not by npm, which would install the bench's Debian packages first.
        assert.match(run("tools/with-node", "node", "test/bench/main.ts", "--help").stdout, /--measure/);
      }

      // The installer meets the same npm as on Debian 12.
      if (machine.who === "Debian 13") return;
      env["DESTDIR"] = join(folder, `installed-${machine.node}-${machine.npm}`);
      run("deploy/install.sh", "local");
      const installed = join(env["DESTDIR"], "opt/hawser/packages/gateway-local/bin/hawser-local");
      assert.equal(run(installed, "--version").stdout, `${VERSION}\n`);
    });
  }
});
