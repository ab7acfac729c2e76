import assert from "node:assert/strict";
import { test } from "node:test";
import { lineOf } from "./toml-text.ts";

const FILE = `remote = "hawser://..."

[[path]]
name = "adsl1"
interface = "ppp0"

[[path]] # the second line
name = "adsl2"
nmae = "x"
max_rate.down = "5 Mbit/s"
[path.quota]
bytes = "5GB"

[capture]
  from = ["br-lan"]
"listen" = []
`;

for (const [what, path, line] of [
  ["a key before all tables", ["remote"], 1],
  ["a key of the first entry", ["path", 0, "interface"], 5],
  ["a key of the second", ["path", 1, "nmae"], 9],
  ["what the second lacks: its header", ["path", 1, "interface"], 7],
  ["a dotted key", ["path", 1, "max_rate", "down"], 10],
  ["a table below the second", ["path", 1, "quota", "bytes"], 12],
  ["an item of an array: its key", ["capture", "from", 0], 15],
  ["a quoted key", ["capture", "listen"], 16],
  ["a table that is not there", ["status"], undefined],
  ["the file as a whole", [], undefined],
] as const) {
  test(`the line of ${what}`, () => assert.equal(lineOf(FILE, path), line));
}
