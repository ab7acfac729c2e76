import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Chaos } from "./chaos.ts";

/** A line that lives may stall for a while, or be slow to show that another is dead. */
const LONGEST_PAUSE = 6_000;
/** To run one seed again, or another one, or for longer. */
const { HAWSER_SEED, HAWSER_EVENTS = "1000" } = process.env;
const seeds = HAWSER_SEED === undefined ? [1, 2, 3] : [Number(HAWSER_SEED)];

describe(`twenty flows while ${HAWSER_EVENTS} things happen to three lines, one of which always lives`, () => {
  for (const seed of seeds) {
    it(`HAWSER_SEED=${seed}: every byte is right, no flow is lost, nothing is left`, (t) => {
      const chaos = new Chaos(seed);
      chaos.run(Number(HAWSER_EVENTS));
      chaos.finish();
      const { completed, longestPause, slowestAnswer, counts } = chaos;
      t.diagnostic(
        `${completed} flows; nothing came for ${longestPause.toFixed(0)} ms; ` +
          `the slowest answer took ${slowestAnswer.toFixed(0)} ms; ${JSON.stringify(counts)}`,
      );
      assert.ok(longestPause <= LONGEST_PAUSE, `nothing came for ${longestPause} ms`);
    });
  }
});
