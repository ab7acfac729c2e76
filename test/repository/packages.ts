/** The packages, as their package.json files describe them. */

import { globSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

export const ROOT = join(import.meta.dirname, "../..");

export interface Manifest {
  readonly name: string;
  readonly files: readonly string[];
  /** What others may import: `./model`, and what it leads to. */
  readonly exports?: Readonly<Record<string, { readonly types: string; readonly default: string }>>;
  readonly bin?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
}

export interface Package {
  /** Its folder in `packages/`. */
  readonly folder: string;
  readonly manifest: Manifest;
}

export const packages: readonly Package[] = globSync("packages/*/package.json", { cwd: ROOT })
  .sort()
  .map((file) => ({
    folder: basename(dirname(file)),
    manifest: JSON.parse(readFileSync(join(ROOT, file), "utf8")) as Manifest,
  }));

/** The packages of this repository that a package depends on. */
export function dependenciesOf({ manifest }: Package): readonly Package[] {
  return packages.filter((each) => Object.hasOwn(manifest.dependencies ?? {}, each.manifest.name));
}
