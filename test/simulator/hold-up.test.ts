import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Bulk, type Direction } from "./bulk.ts";
import { type LineSpec, line } from "./network.ts";

const ADSL = [line("a", 8.41, 0.8, 12), line("b", 8.76, 0.8, 15)];
const SAME = [line("a", 50, 50, 10), line("b", 50, 50, 10)];
/** TCP sends a lost segment again a round trip later, or two. */
const WEAK = [1_000, 2_000].map((stall) => line("weak", 2, 2, 500, { loss: 0.05, stall }));
const SECONDS = 15;
/** Half of the weak line's round trip, after which it is given up, and some to mend that on the others, milliseconds. */
const LONGEST_STOP = 750;
/** Milliseconds: how closely the reader is looked at. */
const STEP = 20;

interface Outcome {
  /** Of what the strong lines carry. */
  readonly share: number;
  /** The poorest second after the first, as a share of the best line. */
  readonly poorest: number;
  /** For how long nothing came to the reader at worst, after the first second, milliseconds. */
  readonly longestStop: number;
  readonly bulk: Bulk;
}

function run(strong: readonly LineSpec[], weak: LineSpec, direction: Direction, seed: number): Outcome {
  const bulk = new Bulk([...strong, weak], direction, { seed });
  const rates = strong.map((each) => each[direction].rate);
  const sum = rates.reduce((all, rate) => all + rate, 0);
  const seconds: number[] = [];
  let [stop, longestStop] = [0, 0];
  for (let second = 0; second < SECONDS; second++) {
    let share = 0;
    for (let ms = 0; ms < 1_000; ms += STEP) {
      const come = bulk.run(STEP);
      share += come * (STEP / 1_000);
      stop = come === 0 && second > 0 ? stop + STEP : 0;
      longestStop = Math.max(longestStop, stop);
    }
    seconds.push(share * bulk.capacity);
  }
  return {
    share: seconds.reduce((all, rate) => all + rate, 0) / SECONDS / sum,
    poorest: Math.min(...seconds.slice(1)) / Math.max(...rates),
    longestStop,
    bulk,
  };
}

const isResting = ({ sender }: Bulk, path: string): boolean =>
  [...sender.session.subflows].some((each) => each.path === path && each.holdUpAccount.isResting);

describe("a line that loses much, beside good ones", () => {
  // Fast lines take long to simulate.
  for (const [name, strong, seeds, least] of [
    ["ADSL", ADSL, 3, 0.98],
    // A stop of half a round trip within one second leaves little more than one line's bytes.
    ["SAME", SAME, 1, 0.95],
  ] as const) {
    it(`costs ${name} next to nothing, and stops no reader for long`, () => {
      for (const weak of WEAK) {
        for (let seed = 1; seed <= seeds; seed++) {
          const { share, poorest, longestStop, bulk } = run(strong, weak, "down", seed);
          assert.ok(share >= 0.97, `seed ${seed}: ${share} of the others' sum`);
          assert.ok(poorest >= least, `seed ${seed}: a second of ${poorest} of the best line`);
          assert.ok(longestStop <= LONGEST_STOP, `seed ${seed}: nothing came for ${longestStop} ms`);
          const { reinjected, sent } = bulk.sender.session.totals;
          assert.ok(reinjected <= 0.03 * sent, `seed ${seed}: ${reinjected} of ${sent} bytes sent again`);
        }
      }
    });
  }

  it("is used while it is the only one, rest or not; that it rests is told, and that it does no more", () => {
    const bulk = new Bulk([...ADSL, WEAK[1] as LineSpec], "down");
    for (let n = 0; n < 100 && !isResting(bulk, "weak"); n++) bulk.run(250);
    assert.ok(isResting(bulk, "weak"));
    const rests = (): number => bulk.sender.events.filter(({ type }) => type === "rest").length;
    assert.equal(rests(), 1);
    for (const { name } of ADSL) bulk.network.line(name).blackhole();
    bulk.run(5_000);
    const alone = bulk.run(10_000) * bulk.capacity;
    assert.ok(alone >= 0.2 * (WEAK[1] as LineSpec).down.rate, `${alone} bytes/ms`);
    assert.equal(rests(), 2);
  });
});

describe("a line that is worth its hold-ups", () => {
  it("stays in use while it starts: what comes in its usual time holds nobody up", () => {
    const bulk = new Bulk([line("far", 44.5, 4.74, 131.5), line("near", 11.8, 2.29, 49.5)], "down", {
      seed: 91,
    });
    for (let ms = 0; ms < 6_000; ms += 250) {
      bulk.run(250);
      assert.ok(!isResting(bulk, "far"), `after ${ms} ms`);
    }
    const share = bulk.run(5_000);
    assert.ok(share >= 0.95, `${share} of the sum`);
  });

  it("stays in use: what it carries earns them", () => {
    const near = line("near", 50, 50, 7);
    for (const far of [
      line("far", 50, 50, 10, { loss: 0.01, stall: 140 }),
      line("far", 50, 50, 75, { loss: 0.003, stall: 350 }),
    ]) {
      const bulk = new Bulk([near, far], "down", { seed: 1 });
      for (let ms = 0; ms < 15_000; ms += 250) {
        bulk.run(250);
        assert.ok(!isResting(bulk, "far"), `after ${ms} ms`);
      }
    }
  });
});
