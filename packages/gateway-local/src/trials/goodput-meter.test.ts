import assert from "node:assert/strict";
import { test } from "node:test";
import { GoodputMeter } from "./goodput-meter.ts";

test("the start does not count: a line that takes a while to fill is measured at what it carries then", () => {
  const meter = new GoodputMeter();
  let bytes = 0;
  for (let at = 0; at <= 5_000; at += 100) {
    bytes += at < 1_400 ? 10_000 : 100_000;
    meter.note(bytes, at);
  }
  assert.equal(meter.elapsed, 5_000);
  assert.equal(meter.mean, 8e6);
  assert.equal(meter.recent, 8e6);
});

test("without samples, or with one, there is no rate", () => {
  const meter = new GoodputMeter();
  assert.deepEqual([meter.elapsed, meter.mean, meter.recent], [0, 0, 0]);
  meter.note(1_000, 50);
  assert.deepEqual([meter.elapsed, meter.mean, meter.recent], [0, 0, 0]);
});
