import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Reserve } from "./reserve.ts";

const RATE = 1_000;
const BARE = 40;

function begun(): Reserve {
  const reserve = new Reserve();
  reserve.begin(BARE);
  return reserve;
}

describe("Reserve", () => {
  it("grows while the line runs dry, by what that costs, up to a limit", () => {
    const reserve = begun();
    const { ms } = reserve;
    reserve.handleRound({ bytes: 30_000, ms: 40, leastWait: 0 }, RATE, BARE, 1);
    assert.equal(reserve.ms, ms + 5);
    for (let n = 0; n < 100; n++) reserve.handleRound({ bytes: 1_000, ms: 40, leastWait: 0 }, RATE, BARE, 1);
    assert.ok(reserve.ms > ms + 5 && reserve.ms <= 2 * BARE, `${reserve.ms}`);
  });

  it("stays as it is while the line is dry for moments that cost nothing, and grows when it is so all the time", () => {
    const reserve = begun();
    const { ms } = reserve;
    const dry = { bytes: 40_000, ms: 40, leastWait: 0 };
    for (let n = 0; n < 2; n++) reserve.handleRound(dry, RATE, BARE, 1);
    assert.equal(reserve.ms, ms);
    reserve.handleRound(dry, RATE, BARE, 1);
    assert.equal(reserve.ms, 1.5 * ms);
  });

  it("shrinks by part of what always waits, and keeps what lets a faster line show", () => {
    const reserve = begun();
    const { ms } = reserve;
    reserve.handleRound({ bytes: 40_000, ms: 40, leastWait: 2 }, RATE, BARE, 1);
    assert.equal(reserve.ms, ms - 0.5);
    for (let n = 0; n < 100; n++)
      reserve.handleRound({ bytes: 40_000, ms: 40, leastWait: 30 }, RATE, BARE, 1);
    assert.equal(reserve.ms, BARE / 20);
  });
});
