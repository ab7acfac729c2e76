import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { ROOT } from "./packages.ts";

const KINDS = ["dependencies", "devDependencies", "optionalDependencies"] as const;

/** `from`, `import()`, `require` and `import.meta.resolve` of what is neither a file of its own nor a part of Node. */
const IMPORTS =
  /(?:\bfrom |\bimport\(|\(import\.meta\.url\)\(|meta\.resolve\()"(?!node:)((?:@[\w-]+\/)?[a-z][\w-]*)[^"]*"/g;

interface Manifest extends Partial<Record<(typeof KINDS)[number], Record<string, string>>> {
  readonly name: string;
}

interface LockEntry {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly link?: boolean;
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(join(ROOT, file), "utf8"));
}

const manifests = ["package.json", ...globSync("packages/*/package.json", { cwd: ROOT })].map((file) => ({
  folder: dirname(file),
  manifest: readJson(file) as Manifest,
}));
const own = new Set(manifests.map(({ manifest }) => manifest.name));
const lock = (readJson("package-lock.json") as { packages: Record<string, LockEntry> }).packages;

/** What is asked of the registry: who asks, for what, in which version. */
const direct = manifests.flatMap(({ folder, manifest }) =>
  KINDS.flatMap((kind) => Object.entries(manifest[kind] ?? {}))
    .filter(([name]) => !own.has(name))
    .map(([name, version]) => ({ folder, name, version })),
);

/** The rows of both tables: the packages that one names, and its other cells. */
const rows = readFileSync(join(ROOT, "docs/DEPENDENCIES.md"), "utf8")
  .split("\n")
  .filter((line) => line.startsWith("| ") && !line.startsWith("| package |"))
  .map((line) => line.split("|").map((cell) => cell.trim()))
  .map(([, names = "", ...cells]) => ({ names: names.split(", "), cells: cells.slice(0, -1) }));

describe("dependencies", () => {
  it("each has a reason in docs/DEPENDENCIES.md, and each reason its dependency", () => {
    assert.deepEqual(
      rows.flatMap(({ names }) => names).sort(),
      [...new Set(direct.map(({ name }) => name))].sort(),
    );
    for (const { names, cells } of rows) assert.notEqual(cells.at(-1), "", names.join());
  });

  it("what runs is said to be used where it is", () => {
    const runs = direct.filter(({ folder }) => folder !== ".");
    for (const { names, cells } of rows) {
      for (const name of names) {
        const users = runs
          .filter((each) => each.name === name)
          .map(({ folder }) => folder.replace("packages/", ""));
        if (users.length > 0) assert.equal(cells[0], users.sort().join(", "), name);
      }
    }
  });

  it("what a package imports is in its own package.json, and nothing else is", () => {
    for (const { folder, manifest } of manifests.slice(1)) {
      const used = { all: new Set<string>(), running: new Set<string>() };
      for (const file of globSync(`${folder}/src/**/*.{ts,tsx}`, { cwd: ROOT })) {
        const text = readFileSync(join(ROOT, file), "utf8");
        for (const [, name = ""] of text.matchAll(IMPORTS)) {
          if (name === manifest.name) continue;
          used.all.add(name);
          if (!file.endsWith(".test.ts")) used.running.add(name);
        }
      }
      const declared = KINDS.flatMap((kind) => Object.keys(manifest[kind] ?? {}));
      assert.deepEqual([...used.all].sort(), declared.sort(), folder);
      assert.deepEqual([...used.running].sort(), Object.keys(manifest.dependencies ?? {}).sort(), folder);
    }
  });

  it("versions are exact, and the lock file has them", () => {
    for (const { name, version } of direct) {
      assert.match(version, /^\d+\.\d+\.\d+$/, name);
      assert.equal(lock[`node_modules/${name}`]?.version, version, name);
    }
  });

  it("the lock file knows every package by its hash, and no registry by its name", () => {
    for (const [place, { integrity, resolved, link }] of Object.entries(lock)) {
      if (!place.includes("node_modules/") || link) continue;
      assert.match(integrity ?? "", /^sha512-/, place);
      assert.equal(resolved, undefined, place);
    }
  });
});
