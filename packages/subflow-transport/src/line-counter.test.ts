import assert from "node:assert/strict";
import { test } from "node:test";
import type { TcpInfo } from "@hawser/linux-sockets";
import { LineCounter } from "./line-counter.ts";

const NOTHING = { bytesSent: 0, bytesAcked: 0, bytesReceived: 0, segsOut: 0, segsIn: 0, hasTimestamps: true };

/** What a counter has after the kernel told these counts, one after the other. */
function counted(
  family: "IPv4" | "IPv6",
  ...infos: readonly Partial<TcpInfo>[]
): [sent: number, received: number] {
  const counter = new LineCounter(family);
  for (const info of infos) counter.handleInfo({ ...NOTHING, ...info } as TcpInfo);
  return [counter.sent, counter.received];
}

test("packets count with their headers: 52 bytes, 40 without timestamps, 20 more with IPv6", () => {
  const info = { bytesSent: 1_448_000, segsOut: 1_000, bytesReceived: 10_000, segsIn: 500 };
  assert.deepEqual(counted("IPv4", info), [1_500_000, 36_000]);
  assert.deepEqual(counted("IPv4", { ...info, hasTimestamps: false }), [1_488_000, 30_000]);
  assert.deepEqual(counted("IPv6", info), [1_520_000, 46_000]);
  assert.deepEqual(counted("IPv6", { ...info, hasTimestamps: false }), [1_508_000, 40_000]);
});

test("counts are totals: told again they add nothing, and never go back", () => {
  const info = { bytesSent: 1_448_000, segsOut: 1_000 };
  assert.deepEqual(counted("IPv4", info, info, info), counted("IPv4", info));
  assert.deepEqual(counted("IPv4", {}), [0, 0]);
  // Bare acknowledgements alone.
  assert.deepEqual(counted("IPv4", info, { ...info, segsOut: 1_010, segsIn: 3 }), [1_500_520, 156]);
});

test("segments count beyond the kernel's 32 bits, in each direction, again and again", () => {
  const top = 2 ** 32;
  assert.deepEqual(counted("IPv6", { segsOut: top - 10 }, { segsOut: 5 }), [(top + 5) * 72, 0]);
  assert.deepEqual(counted("IPv6", { segsIn: top - 1 }, { segsIn: 0 }), [0, top * 72]);
  const twice = [{ segsOut: top - 1 }, { segsOut: 3 }, { segsOut: top - 1 }, { segsOut: 7 }];
  assert.deepEqual(counted("IPv4", ...twice), [(2 * top + 7) * 52, 0]);
  // A whole round to the same count cannot be told from none: at 10 Gbit/s it takes an hour.
  assert.deepEqual(counted("IPv4", { segsOut: 3 }, { segsOut: 3 }), [3 * 52, 0]);
});

test("bytes count beyond 32 bits", () => {
  assert.deepEqual(counted("IPv4", { bytesSent: 2 ** 40, bytesReceived: 2 ** 41 }), [2 ** 40, 2 ** 41]);
});

test("before Linux 4.19, which does not tell what was sent, what was acknowledged counts", () => {
  const info = { bytesAcked: 1_448_000, segsOut: 1_000, bytesReceived: 5_000, segsIn: 500 };
  assert.deepEqual(counted("IPv4", info), [1_500_000, 31_000]);
});
