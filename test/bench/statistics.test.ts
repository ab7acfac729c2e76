import assert from "node:assert/strict";
import { test } from "node:test";
import {
  jain,
  longestBelow,
  longestSilence,
  median,
  poorestSecond,
  rateBetween,
  rateOfSamples,
} from "./statistics.ts";

test("the median leaves out what was not measured", () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, Number.NaN, 2]), 2);
  assert.equal(median([1, 2]), 1.5);
  assert.equal(median([Infinity, Infinity]), Infinity);
  assert.ok(Number.isNaN(median([])));
});

test("Jain's index is 1 when all have the same and 1/n when one has all", () => {
  assert.equal(jain([5, 5, 5]), 1);
  assert.equal(jain([9, 0, 0]), 1 / 3);
  assert.ok(Number.isNaN(jain([0, 0])));
});

test("rates of a timeline of 100 ms steps", () => {
  const timeline = [
    ...Array<number>(10).fill(0),
    ...Array<number>(10).fill(1000),
    ...Array<number>(15).fill(500),
  ];
  assert.equal(rateBetween(timeline, 1000, 2000), 80_000);
  assert.equal(poorestSecond(timeline, 1000, 3499), 40_000, "the half second at the end does not count");
  assert.ok(Number.isNaN(poorestSecond(timeline, 3000, 3500)));
});

test("the longest time below a rate, in whole seconds", () => {
  const second = (bytes: number): number[] => Array<number>(10).fill(bytes);
  const timeline = [1000, 100, 1000, 100, 100, 1000].flatMap(second);
  assert.equal(longestBelow(timeline, 50_000, { fromMs: 0, toMs: 6000 }), 2);
  assert.equal(longestBelow(timeline, 50_000, { fromMs: 0, toMs: 4000 }), 1);
  assert.equal(
    longestBelow(timeline, 50_000, { fromMs: 5000, toMs: 9000 }),
    3,
    "nothing came after the sixth",
  );
});

test("the longest silence is looked for between two times, and may have begun before", () => {
  const samples = [
    { ms: 0, bytes: 1 },
    { ms: 50, bytes: 1 },
    { ms: 60, bytes: 2 },
    { ms: 70, bytes: 3 },
    { ms: 90, bytes: 3 },
    { ms: 100, bytes: 3 },
  ];
  assert.deepEqual(longestSilence(samples, 0, 200), { ms: 60, endMs: 60 });
  assert.deepEqual(longestSilence(samples, 65, 200), { ms: 30, endMs: 100 }, "still going on at the end");
  assert.deepEqual(longestSilence(samples, 65, 75), { ms: 10, endMs: 70 });
});

test("the rate between two samples", () => {
  const samples = [
    { ms: 0, bytes: 0 },
    { ms: 500, bytes: 100 },
    { ms: 1500, bytes: 1100 },
  ];
  assert.equal(rateOfSamples(samples, 400, 2000), 8000);
  assert.ok(Number.isNaN(rateOfSamples(samples, 600, 1000)));
});
