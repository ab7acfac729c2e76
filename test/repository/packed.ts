/** The packages as npm would install them, outside of this repository: each sees what its package.json names, and no more. */

import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Package, packages, ROOT } from "./packages.ts";

/**
 * A temporary folder with a room for each package: `FOLDER/node_modules` holds a copy of the package, and links to its
 * dependencies: to the rooms of packages of this repository, to what npm installed of others. Node looks for imports
 * where a link leads to, so that a copy finds what stands in its own room.
 */
export class PackedPackages {
  readonly folder = mkdtempSync(join(tmpdir(), "hawser-packed-"));

  constructor() {
    for (const each of packages) this.#copy(each);
    for (const each of packages) this.#link(each);
  }

  /** Where a program that uses this package alone may stand. */
  roomOf({ folder }: Package): string {
    return join(this.folder, folder);
  }

  /** The installed package. */
  placeOf(each: Package): string {
    return join(this.roomOf(each), "node_modules", each.manifest.name);
  }

  /** What `npm pack` takes: package.json, README.md, and what "files" names. */
  #copy(each: Package): void {
    const { files } = each.manifest;
    for (const file of ["package.json", "README.md", ...files]) {
      const from = join(ROOT, "packages", each.folder, file);
      if (!existsSync(from)) throw new Error(`packages/${each.folder} has no ${file}`);
      cpSync(from, join(this.placeOf(each), file), { recursive: true });
    }
  }

  #link(each: Package): void {
    for (const name of Object.keys(each.manifest.dependencies ?? {})) {
      const own = packages.find(({ manifest }) => manifest.name === name);
      const place = join(this.roomOf(each), "node_modules", name);
      mkdirSync(dirname(place), { recursive: true });
      symlinkSync(own ? this.placeOf(own) : join(ROOT, "node_modules", name), place);
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
