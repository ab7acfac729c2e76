import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { LIMIT_BURST } from "./parameters.ts";
import { lineBytes, RateLimit } from "./rate-limit.ts";

const SEGMENT = 1_448;
const CHUNK = SEGMENT - 56;

/** Bytes on the line in `ms`, asked every `step` ms, as much as is open. */
function send(limit: RateLimit, from: number, ms: number, step: number): number {
  let sent = 0;
  for (let now = from; now < from + ms; now += step) {
    limit.handleTime(now);
    while (limit.isOpen) {
      limit.charge(CHUNK, SEGMENT);
      sent += lineBytes(CHUNK, SEGMENT);
    }
  }
  return sent;
}

describe("a rate limit", () => {
  for (const [rate, step] of [
    [250, 1],
    [2_500, 1],
    [2_500, 7],
    [125_000, 3],
  ] as const) {
    it(`of ${rate} bytes/ms is exact within 2 % over a second, asked every ${step} ms`, () => {
      const limit = new RateLimit(rate, 0);
      send(limit, 0, 500, step);
      const share = send(limit, 500, 1_000, step) / (1_000 * rate);
      assert.ok(Math.abs(share - 1) <= 0.02, `${share}`);
    });
  }

  it("after a pause lets out no more than a short burst, and says when it is open again", () => {
    const limit = new RateLimit(1_000, 0);
    limit.handleTime(60_000);
    limit.charge(1_000 * LIMIT_BURST + 5_000, SEGMENT);
    assert.equal(limit.isOpen, false);
    const { wait } = limit;
    assert.ok(wait > 5 && wait < 6, `${wait} ms`);
    limit.handleTime(60_000 + wait + 0.001);
    assert.equal(limit.isOpen, true);
  });
});
