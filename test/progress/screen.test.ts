import assert from "node:assert/strict";
import { test } from "node:test";
import { bar, stackedBar } from "./bar.ts";
import { Screen } from "./screen.ts";

test("a bar is as wide whatever its share", () => {
  assert.deepEqual([bar(0, 4), bar(0.5, 4), bar(0.59, 4), bar(1, 4)], ["░░░░", "██░░", "██▍░", "████"]);
  for (let share = -0.1; share < 1.2; share += 0.01) assert.equal(bar(share, 24).length, 24);
});

test("a stacked bar shows each part's share, and is as wide whatever they are", () => {
  assert.equal(stackedBar([0.5, 0.25], 8), "████▒▒··");
  assert.equal(stackedBar([0, 1], 4), "▒▒▒▒");
  assert.equal(stackedBar([0.7, 0.7, 0.7], 4), "███▒");
  assert.equal(stackedBar([], 3), "···");
  // Parts too small for a character of their own do not make the bar shorter.
  assert.equal(stackedBar([0.1, 0.1, 0.1, 0.1, 0.1], 4), "▒█··");
  for (let share = -0.1; share < 1.2; share += 0.01) assert.equal(stackedBar([share, share], 24).length, 24);
});

/** What a screen prints of one step. */
function printed(out: { isTTY?: boolean; columns?: number }): string {
  let text = "";
  const screen = new Screen({ ...out, write: (piece) => (text += piece) });
  screen.draw(`first ${"n".repeat(90)}`);
  screen.finish("first, done");
  screen.draw("second");
  screen.say("broken off");
  screen.draw("third");
  screen.erase();
  return text;
}

test("without a terminal a step is one line, once it is done", () => {
  assert.equal(printed({}), "first, done\nbroken off\n");
});

test("on a terminal a step is redrawn in its line, which is never longer than the terminal is wide", () => {
  for (const [columns, width] of [
    [60, 60],
    [0, 80],
  ] as const) {
    const lines = printed({ isTTY: true, columns }).split("\n");
    const views = lines.map((line) => line.split("\r\x1b[K").slice(1));
    const long = `first ${"n".repeat(90)}`.slice(0, width - 1);
    assert.deepEqual(views, [[long, "first, done"], ["second"], [], ["third", ""]]);
    assert.equal(lines[2], "broken off");
  }
});
