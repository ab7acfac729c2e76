import assert from "node:assert/strict";
import { test } from "node:test";
import type { TcpInfo } from "@hawser/linux-sockets";
import { LineCounter } from "./line-counter.ts";

function info(bytesSent: number, segsOut: number, bytesReceived: number, segsIn: number): TcpInfo {
  return { bytesSent, bytesAcked: 0, segsOut, bytesReceived, segsIn, hasTimestamps: true } as TcpInfo;
}

test("packets count with their headers, beyond 32 bits of segments", () => {
  const four = new LineCounter("IPv4");
  four.handleInfo(info(1_448_000, 1_000, 0, 500));
  assert.deepEqual([four.sent, four.received], [1_500_000, 26_000]);
  four.handleInfo(info(1_448_000, 1_000, 0, 500));
  assert.deepEqual([four.sent, four.received], [1_500_000, 26_000]);
  const six = new LineCounter("IPv6");
  six.handleInfo(info(0, 2 ** 32 - 10, 0, 0));
  six.handleInfo(info(0, 5, 0, 0));
  assert.equal(six.sent, (2 ** 32 + 5) * 72);
});

test("before Linux 4.19, which does not tell what was sent, what was acknowledged counts", () => {
  const counter = new LineCounter("IPv4");
  counter.handleInfo({ ...info(0, 1_000, 5_000, 500), bytesAcked: 1_448_000 });
  assert.deepEqual([counter.sent, counter.received], [1_500_000, 31_000]);
});
