import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Random } from "@hawser/shared-protocol/testing";
import { ReorderBuffer } from "./reorder-buffer.ts";
import { content } from "./testing/content.ts";

const LENGTH = 40_000;

describe("ReorderBuffer", () => {
  it("puts pieces in order, each byte once, however they come", () => {
    for (let seed = 1; seed <= 60; seed++) compare(seed);
  });

  it("copies a small piece, which would pin the buffer that it came in; a large one it does not", () => {
    const buffer = new ReorderBuffer();
    const large = Buffer.alloc(65_536, 1);
    buffer.insert(10, large.subarray(0, 10));
    buffer.insert(0, large.subarray(0, 10));
    buffer.insert(20, large.subarray(0, 49_152));
    const [small, second] = buffer.take();
    assert.ok(small?.buffer !== large.buffer);
    assert.ok(second?.buffer === large.buffer);
  });

  it("gathers small pieces that follow each other, in order and early", () => {
    const buffer = new ReorderBuffer();
    for (let offset = 1; offset < 20_000; offset++) buffer.insert(offset, content(1, offset, 1));
    assert.deepEqual([buffer.early, buffer.earlyRuns], [19_999, 2]);
    buffer.insert(0, content(1, 0, 1));
    for (let offset = 20_000; offset < 40_000; offset++) buffer.insert(offset, content(1, offset, 1));
    const pieces = buffer.take();
    assert.ok(pieces.length < 6);
    const memory = pieces.reduce((sum, { buffer: { byteLength } }) => sum + byteLength, 0);
    assert.ok(memory < 2.1 * 40_000);
    assert.ok(content(1, 0, 40_000).equals(Buffer.concat(pieces)));
  });

  it("forgets everything when told", () => {
    const buffer = new ReorderBuffer();
    buffer.insert(0, Buffer.alloc(10));
    buffer.insert(20, Buffer.alloc(10));
    buffer.discard();
    assert.deepEqual([buffer.held, buffer.early, buffer.take()], [0, 0, []]);
  });
});

/** The naive twin is one array with a flag for each byte. */
function compare(seed: number): void {
  const random = new Random(seed);
  const buffer = new ReorderBuffer();
  const has = new Uint8Array(LENGTH);
  let frontier = 0;
  let taken = 0;
  for (let step = 0; frontier < LENGTH; step++) {
    const where = `seed ${seed}, step ${step}`;
    // Mostly near the frontier, or it would never be done.
    const offset = random.chance(0.5) ? frontier : random.integer(0, LENGTH - 1);
    const end = Math.min(LENGTH, offset + random.integer(1, 2_000));
    let fresh = 0;
    for (let i = offset; i < end; i++) {
      if (has[i] === 0) fresh++;
      has[i] = 1;
    }
    assert.equal(buffer.insert(offset, content(1, offset, end - offset)), fresh, where);
    while (frontier < LENGTH && has[frontier] === 1) frontier++;
    assert.equal(buffer.frontier, frontier, where);
    const early = has.subarray(frontier).reduce((sum, each) => sum + each, 0);
    assert.deepEqual([buffer.early, buffer.held], [early, early + frontier - taken], where);
    if (!random.chance(0.3)) continue;
    for (const piece of buffer.take()) {
      assert.ok(content(1, taken, piece.length).equals(piece), where);
      taken += piece.length;
    }
    assert.equal(taken, frontier, where);
  }
}
