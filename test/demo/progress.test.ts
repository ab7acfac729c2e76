import assert from "node:assert/strict";
import { test } from "node:test";
import { bar, RecentRate, stepLine } from "./progress.ts";
import { Screen } from "./screen.ts";

test("a bar is as wide whatever its share", () => {
  assert.deepEqual([bar(0, 4), bar(0.5, 4), bar(0.59, 4), bar(1, 4)], ["░░░░", "██░░", "██▍░", "████"]);
  for (let share = -0.1; share < 1.2; share += 0.01) assert.equal(bar(share, 24).length, 24);
});

test("the recent rate is that of the last second", () => {
  const rate = new RecentRate();
  assert.equal(rate.add(500, 500_000), 8e6);
  assert.equal(rate.add(1000, 1_000_000), 8e6);
  assert.equal(rate.add(1500, 1_000_000), 4e6);
  assert.equal(rate.add(2000, 1_000_000), 0);
  assert.equal(rate.add(2000, 1_000_000), 0);
});

/** What a screen prints of one step. */
function printed(out: { isTTY?: boolean; columns?: number }): string {
  let text = "";
  const screen = new Screen({ ...out, write: (piece) => (text += piece) });
  screen.draw({ title: "adsl1", bps: 1e6, share: 0.5, note: "n".repeat(90) });
  screen.finish({ title: "adsl1", bps: 2e6 });
  screen.draw({ title: "adsl2", bps: 3e6, share: 0.5 });
  screen.say("broken off");
  return text;
}

test("without a terminal a step is one line, once it is done", () => {
  assert.match(printed({}), /^ {2}adsl1 +2\.00 Mbit\/s\nbroken off\n$/);
});

test("on a terminal a step is redrawn in its line, which is never longer than the terminal is wide", () => {
  for (const [columns, width] of [
    [60, 60],
    [0, 80],
  ] as const) {
    const lines = printed({ isTTY: true, columns }).split("\n");
    assert.deepEqual([lines.length, lines.at(-2)], [4, "broken off"]);
    const views = lines.slice(0, 2).flatMap((line) => line.split("\r\x1b[K").slice(1));
    assert.equal(views.length, 3);
    assert.ok(views.every((view) => view.length < width));
  }
});

test("a step's line without a bar", () => {
  assert.equal(
    stepLine({ title: "both", bps: 15.5e6, note: "7.7 + 7.8" }).match(/both +15\.50 Mbit\/s {2}7/)?.length,
    1,
  );
});
