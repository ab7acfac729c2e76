import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Random } from "../random.ts";
import { MAX_VARINT, readVarint, varintLength, writeVarint } from "./varint.ts";

/** RFC 9000, appendix A.1, but for its 8-byte example, which is above 2^53. */
const GOLDEN: readonly [string, number][] = [
  ["9d7f3e7d", 494_878_333],
  ["7bbd", 15_293],
  ["25", 37],
];
const EDGES = [
  0,
  63,
  64,
  16_383,
  16_384,
  2 ** 30 - 1,
  2 ** 30,
  2 ** 32 - 1,
  2 ** 32,
  2 ** 32 + 1,
  MAX_VARINT,
];

function written(value: number): Uint8Array {
  const target = new Uint8Array(8);
  return target.subarray(0, writeVarint(target, 0, value));
}

describe("varint", () => {
  it("is as in RFC 9000", () => {
    for (const [hex, value] of GOLDEN) {
      assert.equal(Buffer.from(written(value)).toString("hex"), hex);
      assert.equal(readVarint(Buffer.from(hex, "hex"), 0), value);
    }
    // Two bytes where one would do are read all the same.
    assert.equal(readVarint(Buffer.from("4025", "hex"), 0), 37);
    assert.equal(readVarint(Buffer.from("c2197c5eff14e88c", "hex"), 0), Number(151_288_809_941_952_652n));
  });

  it("comes back, at every length's edges and in between", () => {
    const random = new Random(1);
    const values = [...EDGES, ...Array.from({ length: 2_000 }, () => Math.floor(2 ** random.between(0, 53)))];
    for (const value of values) {
      const bytes = written(value);
      assert.equal(bytes.length, varintLength(value), `length of ${value}`);
      assert.equal(readVarint(bytes, 0), value);
    }
    assert.deepEqual(
      EDGES.map((value) => varintLength(value)),
      [1, 1, 2, 2, 4, 4, 8, 8, 8, 8, 8],
    );
  });
});
