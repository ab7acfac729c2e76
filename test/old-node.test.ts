/** Node 20 is enough to install Hawser, and not to run it: whoever starts a gateway with it is told so. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";

const OLD =
  'data:text/javascript,Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.1.0" } })';

for (const name of ["local", "remote"]) {
  test(`hawser-${name} says which Node it needs`, () => {
    const program = join(import.meta.dirname, `../packages/gateway-${name}/bin/hawser-${name}.mjs`);
    const { status, stderr } = spawnSync(process.execPath, ["--import", OLD, program, "--version"], {
      encoding: "utf8",
    });
    assert.equal(status, 1);
    assert.match(
      stderr,
      new RegExp(`^hawser-${name}: needs Node 24 or later, and this is 20\\.1\\.0; .*npx.*\n$`),
    );
  });
}
