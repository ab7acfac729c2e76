import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Random } from "@hawser/shared-protocol/testing";
import { RangeSet } from "./ranges.ts";

const SPAN = 200;

/** The same as a set of numbers. */
class NaiveSet {
  readonly values = new Set<number>();

  add(start: number, end: number): void {
    for (let i = start; i < end; i++) this.values.add(i);
  }

  remove(start: number, end: number): void {
    for (let i = start; i < end; i++) this.values.delete(i);
  }

  runs(from: number, to: number, inside: boolean): { start: number; end: number }[] {
    const runs: { start: number; end: number }[] = [];
    for (let i = from; i < to; i++) {
      if (this.values.has(i) !== inside) continue;
      const last = runs.at(-1);
      if (last?.end === i) last.end++;
      else runs.push({ start: i, end: i + 1 });
    }
    return runs;
  }
}

describe("RangeSet", () => {
  it("is the same as a set of numbers, under random operations", () => {
    for (let seed = 1; seed <= 30; seed++) compare(seed);
  });

  it("advances over everything that begins at or before a value", () => {
    const set = new RangeSet();
    set.add(10, 20);
    set.add(30, 40);
    assert.equal(set.advance(5), 5);
    assert.equal(set.advance(10), 20);
    assert.equal(set.advance(29), 29);
    assert.equal(set.advance(35), 40);
    assert.equal(set.size, 0);
  });
});

function compare(seed: number): void {
  const random = new Random(seed);
  const set = new RangeSet();
  const naive = new NaiveSet();
  for (let step = 0; step < 400; step++) {
    const start = random.integer(0, SPAN);
    const end = random.integer(start - 1, Math.min(SPAN, start + random.integer(0, 40)));
    const where = `seed ${seed}, step ${step}`;
    if (random.chance(0.6)) {
      set.add(start, end);
      naive.add(start, end);
    } else {
      set.remove(start, end);
      naive.remove(start, end);
    }
    const runs = naive.runs(0, SPAN, true);
    assert.equal(set.size, runs.length, where);
    assert.deepEqual(set.first(), runs[0], where);
    assert.equal(set.has(start), naive.values.has(start), where);
    assert.deepEqual(set.gaps(start, end), naive.runs(start, end, false), where);
  }
}
