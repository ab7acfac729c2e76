import assert from "node:assert/strict";
import { test } from "node:test";
import { Flow } from "./stand.ts";

const STARTED_AT = 1_000_000;
const second = (bytes: number): number[] => Array<number>(10).fill(bytes);
const REPORT = {
  bytes: 30_000,
  firstByteMs: 10,
  lastByteMs: 3_000,
  goodputBps: 0,
  largestGapMs: 120,
  largestGapAtMs: 0,
  timeline: [...second(1_000), ...second(0), ...second(2_000)],
  startedAt: STARTED_AT,
  complete: true,
  error: null,
};

test("a flow's rates are between moments of the wall clock, also from before it started", () => {
  const flow = new Flow("down", REPORT, STARTED_AT + 3_000);
  assert.equal(flow.rate(STARTED_AT, STARTED_AT + 1_000), 80_000);
  assert.equal(flow.rate(STARTED_AT - 90, STARTED_AT + 1_000), 80_000);
  assert.equal(flow.rate(STARTED_AT + 1_000), 80_000, "to its end");
  assert.equal(flow.longestBelow(70_000, STARTED_AT), 1);
});

test("of a flow that broke off, the gap is without end; of an upload nothing is known to have come", () => {
  const error = "closed without an end";
  const download = new Flow("down", { ...REPORT, error }, STARTED_AT + 3_000);
  assert.deepEqual([download.gapMs, download.rate(STARTED_AT)], [Infinity, 80_000]);
  const upload = new Flow("up", { ...REPORT, error }, STARTED_AT + 3_000);
  assert.deepEqual([upload.gapMs, upload.rate(STARTED_AT)], [Infinity, 0]);
});

test("a flow without a byte has a gap without end", () => {
  assert.equal(new Flow("down", { ...REPORT, firstByteMs: null }, STARTED_AT).gapMs, Infinity);
});
