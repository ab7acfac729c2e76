import assert from "node:assert/strict";
import { test } from "node:test";
import type { Measure } from "./measure.ts";
import { report, tableOf } from "./report.ts";
import { ROWS } from "./rows.ts";
import { format, renderTable } from "./table.ts";

const [adsl] = ROWS;
assert.ok(adsl !== undefined);
const row = adsl;
const measure: Measure = {
  name: "down",
  needs: [],
  figures: [
    { title: "share", unit: "share", bar: () => ({ atLeast: 0.9 }) },
    { title: "gap", unit: "ms", bar: () => undefined },
  ],
  expectedSeconds: () => 1,
  take: () => Promise.resolve([]),
};
const plain = {
  lines: [],
  sumDown: 1,
  sumUp: 1,
  bestDown: 1,
  bestUp: 1,
  firstByteMs: 1,
  rttMs: 1,
  bytesPerByte: 1,
};
const options = { congestion: undefined, isQuick: false };
const hawserRuns = (...values: (readonly number[] | { error: string })[]) =>
  values.map((down) => ({ plain, systems: { hawser: { down } } }));

test("the table shows medians beside their bars", () => {
  const runs = hawserRuns([0.91, 3], [0.95, 1], [0.8, 2]);
  const lines = renderTable(tableOf(report(row, [measure], options, runs)), "MPTCP").split("\n");
  assert.match(lines[2] ?? "", /^adsl +share +0\.910 +- +>= 0\.900 +yes$/);
  assert.match(lines[3] ?? "", /^ +gap +2 ms +- +- +-$/);
});

test("a bar that is missed, and a run that failed", () => {
  const missed = renderTable(tableOf(report(row, [measure], options, hawserRuns([0.8, 3]))), "MPTCP");
  assert.match(missed, /share .* NO$/m);
  const failed = renderTable(
    tableOf(report(row, [measure], options, hawserRuns([0.95, 3], { error: "why" }))),
    "MPTCP",
  );
  assert.match(failed, /share +0\.950 .* FAILED$/m);
});

test("figures in their units", () => {
  assert.equal(format(Number.NaN, "ms"), "-");
  assert.equal(format(Infinity, "s"), "never");
  assert.equal(format(0.0123, "percent"), "1.23 %");
  assert.equal(format(1.234, "s"), "1.23 s");
  assert.equal(format(64e3, "rate"), "0.06 Mbit/s");
  assert.equal(format(2e6, "bytes"), "2.0 MB");
  assert.equal(format(3, "count"), "3");
});
