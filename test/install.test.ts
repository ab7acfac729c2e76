/** deploy/install.sh with DESTDIR, as packagers run it, with an `npm ci` that takes this checkout's packages. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { after, test } from "node:test";

const ROOT = join(import.meta.dirname, "..");
const folder = mkdtempSync(join(tmpdir(), "hawser-install-"));
after(() => rmSync(folder, { recursive: true }));

/** What install.sh takes, with a folder of its own for what `npm run build` makes. */
const checkout = join(folder, "checkout");
for (const part of ["package.json", "package-lock.json", "LICENSE", "deploy", "packages"])
  cpSync(join(ROOT, part), join(checkout, part), {
    recursive: true,
    filter: (file) => !file.includes("node_modules"),
  });
mkdirSync(join(checkout, "man"));
for (const role of ["local", "remote"]) writeFileSync(join(checkout, "man", `hawser-${role}.1`), ".TH\n");

const bin = join(folder, "bin");
mkdirSync(bin);

function setNpm(script: string): void {
  writeFileSync(join(bin, "npm"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

const LINKS = `echo "$@" > '${folder}/npm-args'; ln -s '${ROOT}/node_modules' node_modules`;

function install(destination: string, ...args: string[]): { status: number | null; stderr: string } {
  const env = {
    ...process.env,
    DESTDIR: destination,
    PATH: `${bin}:${dirname(process.execPath)}:${process.env["PATH"]}`,
  };
  // As strict as root's may be: the service is another user.
  const script = `umask 077; exec sh '${join(checkout, "deploy/install.sh")}' "$@"`;
  return spawnSync("sh", ["-c", script, "sh", ...args], { env, encoding: "utf8" });
}

/** Every file below `destination`, but the packages' own, with its mode. */
function listing(destination: string): string[] {
  return readdirSync(destination, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory() && !entry.parentPath.includes("opt/hawser/packages"))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => `${(statSync(file).mode & 0o777).toString(8)} ${relative(destination, file)}`)
    .sort();
}

for (const role of ["local", "remote"]) {
  test(`${role}: all is in its place and readable; a second run changes nothing, and leaves the configuration`, () => {
    const destination = join(folder, role);
    setNpm(LINKS);
    const first = install(destination, role);
    assert.equal(first.status, 0, first.stderr);
    assert.match(readFileSync(join(folder, "npm-args"), "utf8"), /^ci --omit=dev --ignore-scripts /);
    const files = listing(destination);
    for (const file of [
      `755 usr/local/bin/hawser-${role}`,
      `644 etc/systemd/system/hawser-${role}.service`,
      `644 usr/local/share/man/man1/hawser-${role}.1`,
      `644 usr/local/share/bash-completion/completions/hawser-${role}`,
      `644 usr/local/share/zsh/site-functions/_hawser-${role}`,
      `644 usr/local/share/fish/vendor_completions.d/hawser-${role}.fish`,
      `644 opt/hawser/deploy/${role}.example.toml`,
      "644 opt/hawser/LICENSE",
    ])
      assert.ok(files.includes(file), `${file} is not among\n${files.join("\n")}`);
    assert.deepEqual(readdirSync(join(destination, "etc/hawser")), []);
    assert.equal(
      statSync(join(destination, `opt/hawser/packages/gateway-${role}/bin/hawser-${role}.mjs`)).mode & 0o777,
      0o755,
    );
    const run = ["--version"];
    const program = join(destination, `opt/hawser/packages/gateway-${role}/bin/hawser-${role}.mjs`);
    assert.match(execFileSync(process.execPath, [program, ...run], { encoding: "utf8" }), /^\d+\.\d+\.\d+/);

    writeFileSync(join(destination, "etc/hawser", `${role}.toml`), "mine", { mode: 0o600 });
    assert.equal(install(destination, role).status, 0);
    assert.deepEqual(listing(destination), [...files, `600 etc/hawser/${role}.toml`].sort());
    assert.equal(readFileSync(join(destination, "etc/hawser", `${role}.toml`), "utf8"), "mine");
    assert.deepEqual(readdirSync(join(destination, "opt")), ["hawser"]);
  });
}

test("a failure half-way leaves the old installation as it was, and nothing else", () => {
  const destination = join(folder, "local");
  const before = listing(destination);
  setNpm("exit 1");
  assert.notEqual(install(destination, "local").status, 0);
  assert.deepEqual(listing(destination), before);
  assert.deepEqual(readdirSync(join(destination, "opt")), ["hawser"]);
});

test("without a role, or not built, it says what to do", () => {
  const destination = join(folder, "none");
  const usage = install(destination);
  assert.deepEqual([usage.status, usage.stderr.includes("local|remote")], [2, true]);
  rmSync(join(checkout, "man/hawser-local.1"));
  const unbuilt = install(destination, "local");
  assert.equal(unbuilt.status, 1);
  assert.match(unbuilt.stderr, /npm ci && npm run build/);
  assert.ok(!existsSync(destination));
});

const hasAnalyze = spawnSync("systemd-analyze", ["--version"]).status === 0;
const skip = !hasAnalyze && "needs systemd-analyze";
/** What SECURITY.md says, times ten. */
const EXPOSURE = { local: 21, remote: 19 } as const;

for (const [role, exposure] of Object.entries(EXPOSURE)) {
  test(`systemd has nothing to say against hawser-${role}.service, and rates it as SECURITY.md says`, {
    skip,
  }, () => {
    const unit = join(folder, `hawser-${role}.service`);
    // The program is not installed here.
    const text = readFileSync(join(ROOT, `deploy/hawser-${role}.service`), "utf8");
    writeFileSync(unit, text.replaceAll(`/usr/local/bin/hawser-${role}`, "/bin/true"));
    const verified = spawnSync("systemd-analyze", ["verify", "--man=no", unit], { encoding: "utf8" });
    assert.deepEqual([verified.status, verified.stderr], [0, ""]);
    const args = ["security", "--offline=true", `--threshold=${exposure}`, unit];
    const rated = spawnSync("systemd-analyze", args, { encoding: "utf8" });
    assert.equal(rated.status, 0, rated.stdout);
  });
}
