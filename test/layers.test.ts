import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** The layers of docs/ARCHITECTURE.md, lowest first; each may import itself and those before it. */
const LAYERS = [
  { name: "wire", folder: "packages/shared-protocol/src/wire" },
  { name: "engine", folder: "packages/shared-protocol/src/engine" },
  { name: "node", folder: "packages/shared-protocol/src/node" },
  { name: "gateways", folder: "packages/gateway-local/src" },
  { name: "gateways", folder: "packages/gateway-remote/src" },
] as const;
const ORDER = ["wire", "engine", "node", "gateways"];

/** Packages of their own, which know nothing of the project. */
const STANDALONE = ["packages/socksv5/src", "packages/iptables-wrapper/src"];

/** What the protocol and the engine must do without: time, chance, and the outside world. */
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

function sources(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
    .map((name) => join(ROOT, folder, name));
}

function imports(file: string): string[] {
  const text = readFileSync(file, "utf8");
  return [...text.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)].map((match) => match[1] as string);
}

/** The layer that an import leads to; undefined for what is not the project's. */
function layerOf(file: string, specifier: string): string | undefined {
  if (specifier.startsWith("@hawser/gateway-")) return "gateways";
  const subpath = /^@hawser\/shared-protocol\/(\w+)/.exec(specifier)?.[1];
  if (subpath !== undefined) return subpath;
  if (specifier === "@hawser/shared-protocol") return "node";
  if (!specifier.startsWith(".")) return undefined;
  const target = relative(ROOT, resolve(dirname(file), specifier));
  return LAYERS.find(({ folder }) => target.startsWith(`${folder}/`))?.name ?? "outside of all layers";
}

describe("layers", () => {
  for (const { name, folder } of LAYERS) {
    it(`${folder} imports only what lies below it`, () => {
      const files = sources(folder);
      assert.ok(files.length > 0);
      for (const file of files) {
        for (const specifier of imports(file)) {
          const layer = layerOf(file, specifier);
          if (layer === undefined) continue;
          const isBelow = ORDER.includes(layer) && ORDER.indexOf(layer) <= ORDER.indexOf(name);
          assert.ok(isBelow, `${relative(ROOT, file)} imports ${specifier}`);
        }
      }
    });
  }

  it("neither gateway imports the other", () => {
    for (const [folder, other] of [
      ["packages/gateway-local/src", "gateway-remote"],
      ["packages/gateway-remote/src", "gateway-local"],
    ] as const) {
      for (const file of sources(folder)) {
        for (const specifier of imports(file)) assert.ok(!specifier.includes(other), `${file}: ${specifier}`);
      }
    }
  });

  it("packages of their own import nothing of the project", () => {
    for (const folder of STANDALONE) {
      for (const file of sources(folder)) {
        for (const specifier of imports(file)) {
          assert.ok(!specifier.startsWith("@hawser/"), `${file}: ${specifier}`);
          if (!specifier.startsWith(".")) continue;
          const target = relative(ROOT, resolve(dirname(file), specifier));
          assert.ok(target.startsWith(`${folder}/`), `${file}: ${specifier}`);
        }
      }
    }
  });

  for (const folder of ["packages/shared-protocol/src/wire", "packages/shared-protocol/src/engine"]) {
    it(`${folder} has no clock, no chance, no sockets, no logs`, () => {
      for (const file of sources(folder)) {
        const code = readFileSync(file, "utf8").replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, "");
        for (const pattern of FORBIDDEN) assert.doesNotMatch(code, pattern, relative(ROOT, file));
      }
    });
  }
});
