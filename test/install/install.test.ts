/** deploy/install.sh with DESTDIR, as packagers run it. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { after, test } from "node:test";
import { Installer, ROOT } from "./installer.ts";

const folder = mkdtempSync(join(tmpdir(), "hawser-install-"));
after(() => rmSync(folder, { recursive: true }));

const installer = new Installer(folder);

function install(destination: string, ...args: string[]) {
  const env = { ...process.env, DESTDIR: destination, PATH: `${installer.bin}:${process.env["PATH"]}` };
  // As strict as root's may be: the service is another user.
  const script = `umask 077; exec sh '${installer.script}' "$@"`;
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
    const first = install(destination, role);
    assert.equal(first.status, 0, first.stderr);
    assert.match(readFileSync(installer.npmArguments, "utf8"), /^ci --omit=dev --ignore-scripts /);
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
    const program = join(destination, `opt/hawser/packages/gateway-${role}/bin/hawser-${role}`);
    assert.match(execFileSync(program, ["--version"], { encoding: "utf8" }), /^\d+\.\d+\.\d+/);
    assert.equal(
      readFileSync(join(destination, `usr/local/bin/hawser-${role}`), "utf8"),
      `#!/bin/sh\nexec /opt/hawser/packages/gateway-${role}/bin/hawser-${role} "$@"\n`,
    );

    writeFileSync(join(destination, "etc/hawser", `${role}.toml`), "mine", { mode: 0o600 });
    // Whoever could write into such a folder has no file of root's replaced.
    const victim = join(folder, `victim-${role}`);
    writeFileSync(victim, "root's");
    for (const name of [`man/man1/hawser-${role}.1`, `bash-completion/completions/hawser-${role}`]) {
      rmSync(join(destination, "usr/local/share", name));
      symlinkSync(victim, join(destination, "usr/local/share", name));
    }
    assert.equal(install(destination, role).status, 0);
    assert.equal(readFileSync(victim, "utf8"), "root's");
    assert.deepEqual(listing(destination), [...files, `600 etc/hawser/${role}.toml`].sort());
    assert.equal(readFileSync(join(destination, "etc/hawser", `${role}.toml`), "utf8"), "mine");
    assert.deepEqual(readdirSync(join(destination, "opt")), ["hawser"]);
  });
}

test("a failure half-way leaves the old installation as it was, and nothing else", () => {
  const destination = join(folder, "local");
  const before = listing(destination);
  installer.fake("npm", "exit 1");
  assert.notEqual(install(destination, "local").status, 0);
  assert.deepEqual(listing(destination), before);
  assert.deepEqual(readdirSync(join(destination, "opt")), ["hawser"]);
});

test("called wrongly, for help, or not built, it says what to do", () => {
  const destination = join(folder, "none");
  for (const args of [[], ["remotes"], ["local", "remote"], ["uninstall"]]) {
    const { status, stderr } = install(destination, ...args);
    assert.equal(status, 2);
    assert.match(stderr, /^usage: .*local\|remote/);
  }
  const help = install(destination, "--help");
  assert.deepEqual([help.status, help.stderr], [0, ""]);
  assert.match(help.stdout, /^usage: .*local\|remote[^]*uninstall/);
  rmSync(join(installer.checkout, "man/hawser-local.1"));
  const unbuilt = install(destination, "local");
  assert.equal(unbuilt.status, 1);
  assert.match(unbuilt.stderr, /npm ci && npm run build/);
  assert.ok(!existsSync(destination));
});

const hasAnalyze = spawnSync("systemd-analyze", ["--version"]).status === 0;
const skip = !hasAnalyze && "needs systemd-analyze";
/** What SECURITY.md says, times ten. */
const EXPOSURE = { local: 16, remote: 15 } as const;

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
