/** The house's plan: which package stands above which, and what each must do without. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, it } from "node:test";
import { dependenciesOf, packages, ROOT } from "./packages.ts";

/** What the protocol's frames and the engine must do without: time, chance, and the outside world. */
const PURE = ["packages/shared-protocol/src/wire", "packages/multipath-engine/src"];
const FORBIDDEN = [
  /\bDate\b/,
  /\bMath\.random\b/,
  /\bperformance\b/,
  /\bset(Timeout|Interval|Immediate)\b/,
  /\bprocess\b/,
  /\bconsole\b/,
  /from "node:/,
  /from "(koffi|pino)"/,
];

/** Files of the engine that import each other: they are told apart when its state is taken apart. */
const ENGINE_CIRCLE = [
  "arrival-reports",
  "attention",
  "events",
  "hold-up",
  "reinjection",
  "role-policy",
  "state",
  "subflow",
].map((name) => `packages/multipath-engine/src/${name}.ts`);

/** By file, without tests: what it imports, as written. */
const imports = new Map(
  globSync(["packages/*/src/**/*.{ts,tsx}", "test/**/*.ts", "tools/**/*.mjs"], { cwd: ROOT })
    .filter((file) => !file.includes("node_modules"))
    .map((file) => {
      const text = readFileSync(join(ROOT, file), "utf8");
      const found = [...text.matchAll(/(?:\bfrom |^import |\bimport\()"([^"\n]+)"/gm)];
      return [file, found.map(([, specifier]) => specifier as string)] as const;
    }),
);
const isTest = (file: string): boolean => /\.test\.ts$|\/testing(\/|\.ts$)/.test(file);
const target = (file: string, specifier: string): string =>
  relative(ROOT, resolve(ROOT, dirname(file), specifier));

describe("packages", () => {
  it("the map in docs/ARCHITECTURE.md has all of them, each above what it depends on", () => {
    const page = readFileSync(join(ROOT, "docs/ARCHITECTURE.md"), "utf8");
    const map = /## The packages\n[\s\S]*?```\n([\s\S]*?)```/.exec(page)?.[1] ?? "";
    const floors = map.split("\n");
    const floorOf = (folder: string): number => floors.findIndex((row) => row.split(/ +/).includes(folder));
    for (const each of packages) {
      assert.notEqual(floorOf(each.folder), -1, `${each.folder} is not on the map`);
      for (const { folder } of dependenciesOf(each))
        assert.ok(floorOf(folder) > floorOf(each.folder), `${each.folder} is not above ${folder}`);
    }
  });

  it("the table below the map has their entries", () => {
    const page = readFileSync(join(ROOT, "docs/ARCHITECTURE.md"), "utf8");
    const rows = [...page.matchAll(/^\| ([a-z, -]+) \| (.*?) \|/gm)];
    for (const { folder, manifest } of packages.filter(({ manifest: { name } }) => name.startsWith("@"))) {
      const row = rows.find(([, names = ""]) => names.split(", ").includes(folder));
      const named = Array.from(row?.[2]?.matchAll(/`([^`]+)`/g) ?? [], ([, entry = ""]) => entry);
      const entries = Object.keys(manifest.exports ?? {}).filter((entry) => entry !== "./testing");
      assert.deepEqual(named, entries, folder);
    }
  });

  it("each lets the compiler see what it depends on, and nothing else", () => {
    for (const each of packages) {
      const { folder } = each;
      const text = readFileSync(join(ROOT, `packages/${folder}/tsconfig.json`), "utf8");
      const { references = [] } = JSON.parse(text) as { references?: readonly { path: string }[] };
      const seen = references.map(({ path }) => path.replace("../", ""));
      assert.deepEqual(
        seen.sort(),
        dependenciesOf(each).map((below) => below.folder),
        folder,
      );
    }
  });

  it("nobody imports past a package's entries", () => {
    for (const [file, specifiers] of imports) {
      const home = /^packages\/[^/]+\/src\//.exec(file)?.[0];
      for (const specifier of specifiers.filter((each) => each.startsWith("."))) {
        const path = target(file, specifier);
        const isOwn = home ? path.startsWith(home) : !path.startsWith("packages/");
        // Programs start at what was built of them.
        assert.ok(isOwn || path.includes("/dist/"), `${file} imports ${specifier}`);
      }
    }
  });

  it("no test names a file of a package's sources, to import it in another process", () => {
    for (const file of [...imports.keys()].filter((each) => /^test\/(?!repository)/.test(each)))
      assert.doesNotMatch(readFileSync(join(ROOT, file), "utf8"), /packages\/[a-z-]+\/src\//, file);
  });

  it("only tests import what is for tests", () => {
    for (const [file, specifiers] of imports) {
      if (isTest(file) || !file.startsWith("packages/")) continue;
      for (const specifier of specifiers) assert.doesNotMatch(specifier, /\/testing(\/|\.ts$|$)/, file);
    }
  });

  it("no files import each other in a circle", () => {
    const circles = circlesOf([...imports.keys()].filter((file) => !file.endsWith(".test.ts")));
    assert.deepEqual(circles, [ENGINE_CIRCLE]);
  });

  for (const folder of PURE) {
    it(`${folder} has no clock, no chance, no sockets, no logs`, () => {
      const files = [...imports.keys()].filter((file) => file.startsWith(`${folder}/`) && !isTest(file));
      assert.ok(files.length > 0);
      for (const file of files) {
        const code = readFileSync(join(ROOT, file), "utf8").replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, "");
        for (const pattern of FORBIDDEN) assert.doesNotMatch(code, pattern, file);
      }
    });
  }
});

/** The strongly connected components of more than one file (R. Tarjan, 1972), each sorted. */
function circlesOf(files: readonly string[]): string[][] {
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const open: string[] = [];
  const circles: string[][] = [];
  const visit = (file: string): void => {
    order.set(file, order.size);
    lowest.set(file, order.size - 1);
    open.push(file);
    for (const specifier of imports.get(file) ?? []) {
      const next = target(file, specifier);
      if (!specifier.startsWith(".") || !imports.has(next)) continue;
      if (!order.has(next)) visit(next);
      if (open.includes(next))
        lowest.set(file, Math.min(lowest.get(file) as number, lowest.get(next) as number));
    }
    if (lowest.get(file) !== order.get(file)) return;
    const circle = open.splice(open.indexOf(file));
    if (circle.length > 1) circles.push(circle.sort());
  };
  for (const file of files) if (!order.has(file)) visit(file);
  return circles;
}
