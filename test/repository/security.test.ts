/** Each promise of SECURITY.md names the test that holds it. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { ROOT } from "./packages.ts";

const ROW = /^\| (?<promise>[^|]+) \| `(?<file>[^`]+\.test\.ts)`: (?<name>[^|]+) \|$/;

function sectionOf(text: string, heading: string): string[] {
  const from = text.slice(text.indexOf(`\n## ${heading}\n`) + 1);
  return from.slice(0, from.indexOf("\n## ", 1)).split("\n");
}

/** What stands in the quotes of each test and suite of a file. */
function titlesIn(file: string): string[] {
  const text = readFileSync(join(ROOT, file), "utf8");
  return [...text.matchAll(/\b(?:test|it|describe|suite)\(\s*(?:"([^"]+)"|`([^`]+)`)/g)].map(
    ([, plain, template]) => plain ?? template ?? "",
  );
}

describe("SECURITY.md", () => {
  const lines = sectionOf(readFileSync(join(ROOT, "SECURITY.md"), "utf8"), "Promises and their tests");
  const rows = lines.filter((line) => line.startsWith("| ")).slice(1);

  test("every promise has a row", () => assert.ok(rows.length >= 40, `${rows.length} rows`));

  for (const row of rows) {
    const { promise, file, name } = ROW.exec(row)?.groups ?? {};
    test(`${promise ?? row}: the named test is there`, () => {
      assert.ok(file !== undefined && name !== undefined, `not "| promise | \`file\`: test |": ${row}`);
      assert.ok(
        titlesIn(file).some((title) => title.includes(name)),
        `${file} has no test "${name}"`,
      );
    });
  }
});
