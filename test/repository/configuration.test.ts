/** docs/CONFIGURATION.md has every key of both files, as the programs have it. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { parseConfig } from "@hawser/gateway-kit/schema";
import { z } from "zod";
import { localSchema } from "../../packages/gateway-local/dist/config.js";
import { remoteSchema } from "../../packages/gateway-remote/dist/config.js";
import { peerFileSchema } from "../../packages/gateway-remote/dist/peer-file.js";

const PAGE = readFileSync(join(import.meta.dirname, "../../docs/CONFIGURATION.md"), "utf8");

/** What is used here of a JSON Schema. */
interface Shape {
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly required?: readonly string[];
  readonly items?: Shape;
  readonly anyOf?: readonly Shape[];
}

interface Key {
  readonly isRequired: boolean;
  /** As the schema has it, in TOML; undefined where it says nothing. */
  readonly fallback: string | undefined;
}

interface Row {
  readonly key: string;
  readonly type: string;
  readonly fallback: string;
  readonly example: string;
  readonly meaning: string;
}

/** Every key that may hold something, by its place: `path[].max_rate.down`. */
function keysOf(shape: Shape, place = ""): Map<string, Key> {
  const keys = new Map<string, Key>();
  for (const [name, child] of Object.entries(shape.properties ?? {})) {
    const key = place + name;
    const inside = tablesOf(child).flatMap(({ table, suffix }) => [...keysOf(table, `${key}${suffix}.`)]);
    // What can only be a table is written as the keys in it.
    const isChoice = isValue(child);
    if (inside.length === 0 || isChoice) {
      const fallback = child.default === undefined ? undefined : toToml(child.default);
      keys.set(key, { isRequired: shape.required?.includes(name) ?? false, fallback });
    }
    for (const [each, what] of inside) keys.set(each, isChoice ? { ...what, isRequired: false } : what);
  }
  return keys;
}

/** The tables that a key may hold, or a list of them. */
function tablesOf(shape: Shape): { table: Shape; suffix: string }[] {
  if (shape.properties) return [{ table: shape, suffix: "" }];
  if (shape.items?.properties) return [{ table: shape.items, suffix: "[]" }];
  return (shape.anyOf ?? []).flatMap(tablesOf);
}

/** Something else than a table, too: a text, or a file that has it. */
function isValue({ anyOf }: Shape): boolean {
  return anyOf?.some(({ properties }) => properties === undefined) ?? false;
}

function toToml(value: unknown): string {
  return Array.isArray(value) ? `[${value.map(toToml).join(", ")}]` : JSON.stringify(value);
}

/** The rows of the tables below a heading of the second level. */
function rowsOf(heading: string): Row[] {
  const from = PAGE.slice(PAGE.indexOf(`\n## ${heading}\n`) + 1);
  return from
    .slice(0, from.indexOf("\n## ", 1))
    .split("\n")
    .map((line) => line.split("|").map((cell) => cell.trim()))
    .filter((cells) => cells.length === 8 && /^`.*`$/.test(cells[1] ?? ""))
    .map(([, key = "", type = "", , fallback = "", example = "", meaning = ""]) => {
      return { key: bare(key), type, fallback: bare(fallback), example: bare(example), meaning };
    });
}

function bare(cell: string): string {
  return cell.replaceAll("`", "");
}

/** A file of all examples: those of a table that stand for themselves, not for the keys in it. */
function fileOf(rows: readonly Row[]): string {
  const own = rows.filter(({ key }) => !rows.some((other) => other.key.startsWith(`${key}.`)));
  const top = own.filter(({ key }) => !key.includes("[]"));
  const tables = Map.groupBy(
    own.filter(({ key }) => key.includes("[]")),
    ({ key }) => key.slice(0, key.indexOf("[]")),
  );
  const lines = top.map(({ key, example }) => `${key} = ${example}`);
  for (const [name, entries] of tables) {
    lines.push(`[[${name}]]`);
    for (const { key, example } of entries) lines.push(`${key.slice(name.length + 3)} = ${example}`);
  }
  return lines.join("\n");
}

for (const [file, schema] of [
  ["local.toml", localSchema],
  // What earlier releases wrote into it of peers is what stands in their files now.
  ["remote.toml", remoteSchema.omit({ peer: true })],
  ["peers/NAME.toml", peerFileSchema],
] as const) {
  describe(`docs/CONFIGURATION.md, ${file}`, () => {
    const rows = rowsOf(file);
    const shape = z.toJSONSchema(schema as z.ZodType, { io: "input", unrepresentable: "any" }) as Shape;
    const keys = keysOf(shape);
    // A table that may be written on one line has a row of its own beside those of its keys.
    const isTable = (key: string): boolean => [...keys.keys()].some((each) => each.startsWith(`${key}.`));

    it("has each key, and no other", () => {
      const written = rows.map(({ key }) => key).filter((key) => keys.has(key) || !isTable(key));
      assert.deepEqual(written.sort(), [...keys.keys()].sort());
    });

    it("says which are required, and the others' defaults", () => {
      for (const { key, fallback } of rows) {
        const known = keys.get(key);
        if (!known) continue;
        assert.equal(fallback === "required", known.isRequired, key);
        // What the schema makes of a value before it has a default (a tier, a size) it does not tell.
        if (known.fallback !== undefined) assert.equal(fallback, known.fallback, key);
        else assert.notEqual(fallback, "", key);
      }
    });

    it("has a type, an example and a meaning for each", () => {
      for (const { key, type, example, meaning } of rows)
        for (const cell of [type, example, meaning]) assert.notEqual(cell, "", key);
    });

    it("has examples that are accepted together", () => {
      parseConfig(fileOf(rows), "docs/CONFIGURATION.md", schema as z.ZodType);
    });
  });
}
