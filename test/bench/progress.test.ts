import assert from "node:assert/strict";
import { test } from "node:test";
import { Screen } from "../progress/screen.ts";
import { MEASURES } from "./measures/index.ts";
import { FULL, QUICK } from "./pace.ts";
import { Progress, progressLine, whatIsLeft } from "./progress.ts";

test("what is left is what was expected, at the pace of what is done", () => {
  const expected = [10, 20, 30];
  assert.deepEqual(whatIsLeft(expected, 0, 0, 4000), { share: 0.4, stepMs: 6000, allMs: 56_000 });
  // The first step took twice as long as expected: so will the others.
  assert.deepEqual(whatIsLeft(expected, 1, 20_000, 30_000), { share: 0.25, stepMs: 30_000, allMs: 90_000 });
  assert.deepEqual(whatIsLeft(expected, 2, 30_000, 70_000), { share: 1, stepMs: 0, allMs: 0 });
  assert.deepEqual(whatIsLeft([], 0, 0, 1000), { share: 1, stepMs: 0, allMs: 0 });
});

test("the line says how long it has been, and how long it will be", () => {
  const title = "hawser death-down";
  assert.equal(
    progressLine(title, 5400, { share: 0.25, stepMs: 16_000, allMs: 600_000 }),
    "  hawser death-down ████░░░░░░░░░░░░ 5 s, about 16 s left, in all 10 min",
  );
  assert.match(
    progressLine(title, 130_000, { share: 1, stepMs: 0, allMs: 0 }),
    /2 min, longer than expected, in all 0 s$/,
  );
});

test("on a terminal a step is drawn while it runs and gone when it is done; without one there are only lines", async () => {
  for (const isTTY of [true, false]) {
    let text = "";
    const progress = new Progress(new Screen({ isTTY, write: (piece) => (text += piece) }), [1, 1]);
    const value = await progress.during("first", async () => {
      progress.say("said on the way");
      return 3;
    });
    assert.equal(value, 3);
    await assert.rejects(
      progress.during("second", () => Promise.reject(new Error("no"))),
      /^Error: no$/,
    );
    progress.say("done");
    // What an erased line leaves is what stands behind the last erasure.
    const left = text.split("\n").map((line) => line.split("\r\x1b[K"));
    if (isTTY) {
      assert.deepEqual(
        left.map((views) => views.map((view) => view.slice(0, 8))),
        [["", "  first ", "said on "], ["", "  second", "done"], [""]],
      );
    } else {
      assert.deepEqual(left, [["said on the way"], ["done"], [""]]);
    }
  }
});

test("every measure is expected to take its time, longer at the full pace", () => {
  for (const measure of MEASURES) {
    const [quick = 0, full = 0] = [QUICK, FULL].map((pace) => measure.expectedSeconds(pace, 2));
    assert.ok(quick > 0 && full >= quick, measure.name);
  }
});
