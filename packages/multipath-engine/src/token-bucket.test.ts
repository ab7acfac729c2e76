import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { TokenBucket } from "./token-bucket.ts";

describe("TokenBucket", () => {
  it("lets a burst through at once, and then so many per millisecond, however long it was idle", () => {
    const bucket = new TokenBucket(2, 10, 1_000);
    const taken = (now: number): number => {
      let count = 0;
      while (bucket.take(now)) count++;
      return count;
    };
    assert.equal(taken(1_000), 10);
    assert.equal(taken(1_000.4), 0);
    assert.equal(taken(1_002), 4);
    assert.equal(taken(90_000), 10);
  });
});
