import assert from "node:assert/strict";
import { test } from "node:test";
import { PERIOD_MS, schedule } from "./dish.ts";

test("a dish changes each 15 s from its first change on, the same way for the same seed", () => {
  const changes = schedule(1, 7_000, 40_000);
  assert.deepEqual(
    changes.map(({ atMs }) => atMs),
    [0, 7_000, 7_000 + PERIOD_MS, 7_000 + 2 * PERIOD_MS],
  );
  assert.deepEqual(schedule(1, 7_000, 40_000), changes);
  assert.notDeepEqual(schedule(2, 7_000, 40_000), changes);
});

test("it begins without a pause, and later pauses for 100 to 300 ms", () => {
  const [first, ...later] = schedule(3, PERIOD_MS, 600_000);
  assert.equal(first?.pauseMs, 0);
  assert.ok(later.every(({ pauseMs }) => pauseMs >= 100 && pauseMs <= 300));
  assert.ok(later.every(({ down }) => down >= 12e6 && down <= 55e6));
});
