/** The packages' entries: few names, each of use to somebody and explained where it is declared. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { type Package, packages, ROOT } from "./packages.ts";

const read = (file: string): string => readFileSync(join(ROOT, file), "utf8");

interface Entry {
  readonly of: Package;
  /** What others import: `@hawser/status-api/model`. */
  readonly specifier: string;
  readonly file: string;
  readonly isForTests: boolean;
  readonly names: readonly { readonly name: string; readonly declaredIn: string }[];
}

const LIST = /^(?:export|import)\s+(?:type\s+)?\{([^}]*)\}\s+from\s+"([^"]+)"/gm;
const OWN = /^export (?:async )?(?:const|function|class|interface|type) (\w+)/gm;

const namesIn = (list: string): string[] =>
  list
    .split(",")
    .map((each) => each.trim().replace(/^type /, ""))
    .filter((each) => each !== "");

function entryOf(of: Package, entry: string, built: string): Entry {
  const file = `packages/${of.folder}/${built.replace("./dist/", "src/").replace(/\.js$/, ".ts")}`;
  const text = read(file);
  const passedOn = [...text.matchAll(LIST)]
    .filter(([whole]) => whole.startsWith("export"))
    .flatMap(([, list = "", from = ""]) =>
      namesIn(list).map((name) => ({ name, declaredIn: join(dirname(file), from) })),
    );
  const own = [...text.matchAll(OWN)].map(([, name = ""]) => ({ name, declaredIn: file }));
  return {
    of,
    specifier: `${of.manifest.name}${entry.slice(1)}`,
    file,
    isForTests: entry === "./testing",
    names: [...passedOn, ...own],
  };
}

const entries = packages.flatMap((of) =>
  Object.entries(of.manifest.exports ?? {}).map(([entry, { default: built }]) => entryOf(of, entry, built)),
);

/** Who imports a name: "SPECIFIER NAME" to files. An import from a file beside counts as one from the entry that it is. */
const users = new Map<string, string[]>();
for (const file of globSync(["packages/*/src/**/*.{ts,tsx}", "test/**/*.ts", "tools/**/*.mjs"], {
  cwd: ROOT,
})) {
  for (const [, list = "", from = ""] of read(file).matchAll(LIST)) {
    const beside = from.startsWith(".") ? join(dirname(file), from) : "";
    const specifier = entries.find((entry) => entry.file === beside)?.specifier ?? from;
    for (const name of namesIn(list)) {
      const key = `${specifier} ${name.replace(/ as .*/, "")}`;
      users.set(key, [...(users.get(key) ?? []), file]);
    }
  }
}

const isTest = (file: string): boolean => /\.test\.tsx?$|\/testing(\/|\.ts$)|^test\//.test(file);

describe("entries", () => {
  for (const { of, specifier, file, isForTests, names } of entries) {
    it(`${specifier}: each name is used by another package${isForTests ? "'s tests, or its own" : ", or shown in the README"}`, () => {
      const readme = read(`packages/${of.folder}/README.md`);
      const isUsed = (name: string): boolean => {
        const by = users.get(`${specifier} ${name}`) ?? [];
        if (isForTests) return by.some(isTest);
        const byOthers = by.filter((user) => !user.startsWith(`packages/${of.folder}/`) && !isTest(user));
        return byOthers.length > 0 || new RegExp(`\\b${name}\\b`).test(readme);
      };
      assert.deepEqual(
        names.map(({ name }) => name).filter((name) => !isUsed(name)),
        [],
      );
    });

    if (isForTests) continue;

    it(`${specifier}: each name is explained where it is declared, and the entry at its beginning`, () => {
      const isExplained = ({ name, declaredIn }: Entry["names"][number]): boolean => {
        // What another package declares is explained there.
        if (!declaredIn.startsWith("packages/")) return true;
        const declaration = `^export (?:async )?(?:const|function\\*?|class|interface|type) ${name}\\b`;
        return new RegExp(`\\*/\n${declaration}`, "m").test(read(declaredIn));
      };
      assert.deepEqual(
        names.filter((each) => !isExplained(each)).map(({ name }) => name),
        [],
      );
      assert.match(read(file), /^\/\*\*[^]*?```ts\n[^]*?```[^]*?\*\/\n/);
    });
  }
});
