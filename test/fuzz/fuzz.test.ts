import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type FuzzTotals, round } from "./fuzz.ts";

/** A few of the rounds that `npm run fuzz` plays by the thousand. */
const ROUNDS = 120;
/** An operation gives the session half a megabyte at most; on a busy machine, a hundred times what that takes. */
const SLOWEST_MS = 2_000;

describe("fuzzing", () => {
  it(`the decoder and sessions withstand ${ROUNDS} rounds of a hostile peer`, (t) => {
    const totals: FuzzTotals = { rounds: 0, frames: 0, operations: 0, slowest: 0, slowestSeed: 0 };
    for (let seed = 1; seed <= ROUNDS; seed++) round(seed, totals);
    const { frames, operations, slowest, slowestSeed } = totals;
    t.diagnostic(
      `${frames} frames, ${operations} operations, the slowest ${slowest.toFixed(0)} ms (seed ${slowestSeed})`,
    );
    assert.ok(frames > 100_000 && operations > 10_000);
    assert.ok(slowest < SLOWEST_MS);
  });

  it("the same seed does the same again", () => {
    const [one, two] = [0, 0].map(() => {
      const totals: FuzzTotals = { rounds: 0, frames: 0, operations: 0, slowest: 0, slowestSeed: 0 };
      round(7, totals);
      return [totals.frames, totals.operations];
    });
    assert.deepEqual(one, two);
  });
});
