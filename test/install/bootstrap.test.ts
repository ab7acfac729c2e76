/** `npm start` and `npm test` in a checkout where npm has been: what is there already is not installed again. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";

const root = mkdtempSync(join(tmpdir(), "hawser-bootstrap-"));
after(() => rmSync(root, { recursive: true }));

const LOCKED = {
  "": { version: "0.1.0" },
  "node_modules/a": { version: "1.0.0", integrity: "sha512-a" },
  "node_modules/for-windows": { version: "1.0.0", integrity: "sha512-w", optional: true },
};
const INSTALLED = { "node_modules/a": LOCKED["node_modules/a"] };

for (const folder of ["tools", "bin", "node_modules/typescript/bin"])
  mkdirSync(join(root, folder), { recursive: true });
for (const tool of ["bootstrap.mjs", "with-node"])
  copyFileSync(join(import.meta.dirname, "../../tools", tool), join(root, "tools", tool));
writeFileSync(join(root, "node_modules/typescript/bin/tsc"), "");
writeFileSync(join(root, "package-lock.json"), JSON.stringify({ packages: LOCKED }));
for (const [tool, script] of Object.entries({ ip: "", iptables: "", curl: "", npm: "echo npm $* >&2" })) {
  writeFileSync(join(root, "bin", tool), `#!/bin/sh\n${script}\n`);
  chmodSync(join(root, "bin", tool), 0o755);
}

/** What `npm` was called with. */
function bootstrap(installed?: object): string {
  const hidden = join(root, "node_modules/.package-lock.json");
  if (installed) writeFileSync(hidden, JSON.stringify({ packages: installed }));
  else rmSync(hidden, { force: true });
  const env = {
    ...process.env,
    PATH: `${join(root, "bin")}:${dirname(process.execPath)}:${process.env["PATH"]}`,
  };
  const { status, stderr } = spawnSync(process.execPath, [join(root, "tools/bootstrap.mjs")], {
    env,
    encoding: "utf8",
  });
  assert.equal(status, 0, stderr);
  return stderr;
}

test("after npm ci there is nothing to install", () => {
  assert.equal(bootstrap(INSTALLED), "");
});

test("a fresh checkout, another version and a missing package are", () => {
  assert.match(bootstrap(), /^npm ci /);
  assert.match(bootstrap({ "node_modules/a": { version: "0.9.0", integrity: "sha512-b" } }), /^npm ci /);
  assert.match(bootstrap({}), /^npm ci /);
});
