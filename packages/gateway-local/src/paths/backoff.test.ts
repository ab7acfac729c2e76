import assert from "node:assert/strict";
import { test } from "node:test";
import { Backoff, LONG_LIFE_MS, MAX_DELAY_MS, MAX_HOLD_MS } from "./backoff.ts";

const delays = (count: number, next: () => number): number[] => Array.from({ length: count }, next);

test("failed attempts follow each other within a second", () => {
  const backoff = new Backoff(() => 1);
  assert.deepEqual(
    delays(5, () => backoff.afterFailure(0)),
    [250, 500, MAX_DELAY_MS, MAX_DELAY_MS, MAX_DELAY_MS],
  );
  assert.equal(backoff.afterFailure(400), MAX_DELAY_MS - 400);
  assert.equal(backoff.afterFailure(2_000), 250, "what took so long was wait enough");
  backoff.reset();
  assert.equal(backoff.afterFailure(0), 250);
});

test("a line that served for long is dialled at once; one that dies again and again waits ever longer", () => {
  const backoff = new Backoff(() => 1);
  assert.equal(backoff.afterLoss(LONG_LIFE_MS), 0);
  assert.deepEqual(
    delays(6, () => backoff.afterLoss(LONG_LIFE_MS - 1)),
    [250, 1_000, 4_000, MAX_HOLD_MS, MAX_HOLD_MS, MAX_HOLD_MS],
  );
  assert.equal(backoff.afterFailure(0), 250, "what fails to join is another matter");
  assert.equal(backoff.afterLoss(LONG_LIFE_MS), 0);
  assert.equal(backoff.afterLoss(0), 250);
});

test("lines that died together do not dial together: a quarter of each wait is random", () => {
  const backoff = new Backoff(() => 0);
  assert.equal(backoff.afterFailure(0), 187.5);
  assert.equal(backoff.afterLoss(0), 187.5);
});
