/** docs/CONNECTIONS.md: each state of a connection has a deadline and a room, and names a test that is there. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";

const root = join(import.meta.dirname, "../..");
const files = globSync(["packages/*/src/**/*.test.ts", "test/**/*.test.ts"], { cwd: root }).filter(
  (file) => !file.includes("node_modules"),
);
const rows = readFileSync(join(root, "docs/CONNECTIONS.md"), "utf8")
  .split("\n")
  .filter((line) => line.startsWith("| ") && !line.startsWith("| kind |"))
  .map((line) => line.slice(2, -2).split(" | "));

test("the table is there, and its rows are whole", () => {
  assert.ok(rows.length > 25);
  for (const row of rows) assert.equal(row.length, 7, row.join(" | "));
});

/** `file.test.ts`: beginning of a title; of another; `other.test.ts`: ... */
const NAMED = /`([\w.-]+\.test\.ts)`: ([^`]*?)(?=; `|$)/g;

for (const [kind, state, , deadline = "", , , tests = ""] of rows) {
  test(`${kind}, ${state}: has a deadline, and a test that is there`, () => {
    assert.notEqual(deadline, "");
    if (/^none: it is the kernel's$|^as these$/.test(tests)) return;
    const named = [...tests.matchAll(NAMED)];
    assert.ok(named.length > 0, `names no test: ${tests}`);
    for (const [, name, titles = ""] of named) {
      const found = files.filter((file) => basename(file) === name);
      assert.ok(found.length > 0, `${name} is not there`);
      const text = found.map((file) => readFileSync(join(root, file), "utf8")).join("\n");
      for (const title of titles.split("; ")) assert.ok(text.includes(title), `${name} has no "${title}"`);
    }
  });
}
