import assert from "node:assert/strict";
import { test } from "node:test";
import { RecentRate, stepLine } from "./progress.ts";

test("the recent rate is that of the last second", () => {
  const rate = new RecentRate();
  assert.equal(rate.add(500, 500_000), 8e6);
  assert.equal(rate.add(1000, 1_000_000), 8e6);
  assert.equal(rate.add(1500, 1_000_000), 4e6);
  assert.equal(rate.add(2000, 1_000_000), 0);
  assert.equal(rate.add(2000, 1_000_000), 0);
});

test("a step's bar is as long as its rate is high, divided as the lines carried it", () => {
  const step = { title: "both", bps: 12e6, carried: [6.5e6, 6.5e6], fullBps: 16e6 };
  assert.equal(
    stepLine({ ...step, leftMs: 2100 }),
    "  both                  █████████▒▒▒▒▒▒▒▒▒······  12.00 Mbit/s  3 s  6.0 + 6.0",
  );
  assert.match(stepLine(step), /·{6} +12\.00 Mbit\/s +6\.0 \+ 6\.0$/);
});

test("a step over one line names no parts, and one that carries nothing yet has an empty bar", () => {
  const step = { title: "adsl2", bps: 8e6, carried: [1e3, 8.4e6], fullBps: 16e6 };
  assert.match(stepLine(step), /^ {2}adsl2 +▒{12}·{12} +8\.00 Mbit\/s$/);
  assert.match(stepLine({ ...step, bps: 0, carried: [0, 0], leftMs: 4000 }), / ·{24} +0\.00 Mbit\/s +4 s$/);
});

test("a step's line fits a terminal of 80 columns", () => {
  const step = { title: "adsl1, through Hawser", bps: 16.5e6, carried: [8.4e6, 8.7e6], fullBps: 17e6 };
  assert.ok(stepLine({ ...step, leftMs: 10_000 }).length < 80);
});
