/** Each package can be installed and used without the repository around it. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { promisify } from "node:util";
import { type Package, packages } from "./packages.ts";
import { PackedPackages } from "./packed.ts";

const run = promisify(execFile);

/** In the package's room, with no variable that could lead Node elsewhere. */
async function runNode(packed: PackedPackages, each: Package, args: readonly string[]): Promise<string> {
  const { stdout } = await run(process.execPath, args, { cwd: packed.roomOf(each), env: {} });
  return stdout;
}

describe("alone", () => {
  const packed = new PackedPackages();
  after(() => packed[Symbol.dispose]());

  for (const each of packages) {
    const { name, exports = {}, bin = {} } = each.manifest;

    it(`${name} can be imported by each of its entries, and says nothing then`, async () => {
      const imports = Object.keys(exports).map((entry) => `await import("${name}${entry.slice(1)}");`);
      const args = ["--input-type=module", "-e", imports.join("\n")];
      assert.equal(await runNode(packed, each, args), "");
      for (const { types } of Object.values(exports))
        assert.ok(existsSync(join(packed.placeOf(each), types)), types);
    });

    for (const [program, file] of Object.entries(bin)) {
      it(`${program} starts`, async () => {
        // The script beside it looks for a Node of the right version; here is one.
        const args = [join(packed.placeOf(each), `${file}.mjs`), "--version"];
        assert.match(await runNode(packed, each, args), /^\d+\.\d+\.\d+\n$/);
      });
    }
  }
});
