import assert from "node:assert/strict";
import { test } from "node:test";
import type { LocalStatusReport, PathStatus } from "../node/status/types.ts";
import { appendReport, ratesOf, type Series, stack } from "./series.ts";
import { serverEvents } from "./server-events.ts";

function report(uptimeSeconds: number, received: Readonly<Record<string, number>>): LocalStatusReport {
  const paths = Object.entries(received).map(
    ([name, receivedBytes]) => ({ name, receivedBytes, sentBytes: 0, rttMs: 20, minRttMs: 18 }) as PathStatus,
  );
  const none = { sent: 0, received: 0, reinjected: 0 };
  const session = {
    peer: "home",
    state: "up",
    flows: { open: 0, total: 0, failed: 0 },
    bytes: none,
    paths,
  } as const;
  return { role: "local", version: "0.1.0", uptimeSeconds, session };
}

test("rates are those between samples, whatever their distance; paths come, go and start again", () => {
  let series: Series = { uptimeSeconds: [], paths: [] };
  for (const [uptime, received] of [
    [1, { a: 0 }],
    [2, { a: 1000 }],
    [4, { a: 3000, b: 500 }],
    [5, { b: 400 }],
  ] as const)
    series = appendReport(series, report(uptime, received));
  const rates = series.paths.map(({ receivedBytes }) => ratesOf(receivedBytes, series.uptimeSeconds));
  assert.deepEqual(rates, [
    [null, 8000, 8000, null],
    [null, null, null, 0],
  ]);
  assert.deepEqual(stack(rates), [
    [0, 8000, 8000, 0],
    [0, 8000, 8000, 0],
  ]);
  // The gateway was restarted.
  assert.deepEqual(appendReport(series, report(0.5, { a: 1 })).uptimeSeconds, [0.5]);
});

test("no more is kept than the gateway keeps", () => {
  let series: Series = { uptimeSeconds: [], paths: [] };
  for (let i = 0; i < 700; i++) series = appendReport(series, report(i, i < 650 ? { a: i } : { b: i }));
  assert.equal(series.uptimeSeconds.length, 600);
  assert.deepEqual(
    series.paths.map(({ receivedBytes }) => receivedBytes.length),
    [600, 600],
  );
  assert.equal(series.paths[0]?.receivedBytes[0], 100);
});

test("server-sent events are read however they are cut", async () => {
  const text =
    'retry: 1000\n\nid: 7\nevent: log\ndata: {"a":"é"}\n\nevent: status\ndata: x\ndata: y\n\n: ping\n\ndata';
  const bytes = new TextEncoder().encode(text);
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (const byte of bytes) yield Uint8Array.of(byte);
  }
  const seen = [];
  for await (const event of serverEvents(pieces())) seen.push(event);
  assert.deepEqual(seen, [
    { id: "7", type: "log", data: '{"a":"é"}' },
    { id: "7", type: "status", data: "x\ny" },
  ]);
});
