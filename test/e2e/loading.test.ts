/**
 * The packages that each command loads. Commands that people and scripts type often start fast, since they load no more
 * than they need: the web server alone takes longer to load than all that `--version` and `check` need.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { programFile } from "./support.ts";

/** Prints at the end, on stderr, which packages were loaded, and which of Node's own modules that take long. */
const WATCH = `
import { writeSync } from "node:fs";
import { registerHooks } from "node:module";
const loaded = new Set();
registerHooks({
  load(url, context, next) {
    const [, name = url] = /.*\\/(?:node_modules|packages)\\/((?:@[^/]+\\/)?[^/]+)\\//.exec(url) ?? [];
    if (name !== url || /^node:(tls|http)$/.test(url)) loaded.add(name);
    return next(url, context);
  },
});
process.on("exit", () => writeSync(2, "\\nloaded " + JSON.stringify([...loaded])));`;

const folder = mkdtempSync(join(tmpdir(), "hawser-loading-"));
after(() => rmSync(folder, { recursive: true }));
const local = join(folder, "local.toml");
const remote = join(folder, "remote.toml");

/** The packages that the declarations of commands need. */
const DECLARATIONS = ["command-line", "gateway-kit", "shared-protocol", "commander"];
/**
 * The packages that read a configuration. linux-sockets, with koffi, says whether the machine has IPv6, and locks
 * files.
 */
const CONFIGURATION = [...DECLARATIONS, "linux-sockets", "koffi", "smol-toml", "zod"];
const LOCAL = ["gateway-local", "status-api", ...CONFIGURATION];
const REMOTE = ["gateway-remote", ...CONFIGURATION];

// The first commands write the files that later ones read.
for (const [program, command, allowed] of [
  ["remote", ["--version"], ["gateway-remote", ...DECLARATIONS]],
  ["remote", ["pair", "--help"], ["gateway-remote", ...DECLARATIONS]],
  ["remote", ["init", "--listen", "127.0.0.1:4433", "-c", remote], REMOTE],
  ["remote", ["pair", "home", "-c", remote], REMOTE],
  ["remote", ["check", "-c", remote], REMOTE],
  ["local", ["--version"], ["gateway-local", ...DECLARATIONS]],
  ["local", ["--help"], ["gateway-local", ...DECLARATIONS]],
  ["local", ["completion", "bash"], ["gateway-local", ...DECLARATIONS]],
  ["local", ["check", "-c", local], LOCAL],
  ["local", ["rules", "show", "-c", local], [...LOCAL, "iptables-wrapper", "node:http"]],
] as const) {
  test(`hawser-${program} ${command.filter((word) => !word.startsWith(folder)).join(" ")}`, () => {
    const hook = `data:text/javascript,${encodeURIComponent(WATCH)}`;
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ["--import", hook, programFile(`hawser-${program}`), ...command],
      { encoding: "utf8", timeout: 20_000 },
    );
    const [said, list = "[]"] = stderr.split("\nloaded ");
    assert.equal(status, 0, said);
    if (stdout.startsWith("hawser://")) writeLocal(stdout.trim());
    const loaded = JSON.parse(list) as string[];
    assert.ok(loaded.includes("commander"), "the hook sees what is loaded");
    const own = loaded.filter((name) => !name.startsWith("@koromix/"));
    assert.deepEqual(
      own.filter((name) => !(allowed as readonly string[]).includes(name)),
      [],
    );
  });
}

function writeLocal(pairing: string): void {
  const lines = [
    `remote = "${pairing}"`,
    '[status]\nlisten = "127.0.0.1:1"',
    '[capture]\nfrom = ["lo"]',
    '[[path]]\nname = "a"\nsource = "127.0.0.1"',
  ];
  writeFileSync(local, lines.join("\n"), { mode: 0o600 });
}
