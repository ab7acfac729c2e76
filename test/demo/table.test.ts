import assert from "node:assert/strict";
import { test } from "node:test";
import { drawPlaces } from "./drawing.ts";
import { parseOptions } from "./options.ts";
import { judge, type Outcome, renderTable } from "./table.ts";

const OUTCOME: Outcome = {
  lines: [
    { name: "adsl1", aloneBps: 7.9e6, plainBps: 8.1e6, share: 0.488 },
    { name: "adsl2", aloneBps: 8.25e6, plainBps: 8.45e6, share: 0.512 },
  ],
  bothBps: 15.8e6,
};

test("the table says what each line gave, and whether both together reached the sum", () => {
  const table = renderTable(OUTCOME);
  assert.match(table, /adsl1 alone +7\.90 Mbit\/s +8\.10 Mbit\/s +48\.8 %/);
  assert.match(table, /sum of the two +16\.15 Mbit\/s +16\.55 Mbit\/s/);
  assert.match(table, /both at once +15\.80 Mbit\/s/);
  assert.match(table, /both \/ sum +0\.978 +the sum was reached/);
  assert.ok(table.split("\n").every((line) => line.length < 80));
});

test("the sum is reached from 0.93 on", () => {
  const of = (bothBps: number): boolean => judge({ ...OUTCOME, bothBps }).isReached;
  assert.deepEqual([of(15.03e6), of(15.01e6)], [true, false]);
  assert.match(renderTable({ ...OUTCOME, bothBps: 9e6 }), /0\.557 +the sum was NOT reached/);
  assert.equal(judge({ lines: [], bothBps: 1 }).isReached, false);
});

test("the drawing stays in 80 columns and in line", () => {
  const rows = drawPlaces({
    client: ["192.168.77.2", "knows nothing"],
    router: "192.168.77.1",
    ends: ["100.64.1.2", "100.64.2.2"],
    remote: "203.0.113.1",
    origin: ["198.51.100.10", "sees the remote"],
  }).split("\n");
  assert.ok(rows.every((row) => row.length <= 80));
  const [, ...boxes] = rows;
  for (const column of [14, 29, 48, 63]) {
    assert.ok(
      boxes.every((row) => "┌┐└┘│├┤".includes(row[column] ?? " ")),
      `column ${column}`,
    );
  }
});

test("options", () => {
  assert.deepEqual(parseOptions([]), { once: false, help: false });
  assert.deepEqual(parseOptions(["--once"]), { once: true, help: false });
  for (const [args, complaint] of [
    [["--twice"], /^Unknown option '--twice' .*--help/],
    [["now"], /now/],
    [["--once=3"], /^[^\n]*--once[^\n]*$/],
  ] as const) {
    const answer = parseOptions(args);
    assert.ok(typeof answer === "string" && complaint.test(answer), JSON.stringify(answer));
  }
});
