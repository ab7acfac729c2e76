import assert from "node:assert/strict";
import { test } from "node:test";
import type { LocalStatusReport } from "@hawser/status-api/model";
import { samplePath, sampleReport } from "@hawser/status-api/testing";
import { appendReport, type Series, seriesOf, stack } from "./series.ts";

function report(uptimeSeconds: number, rates: Readonly<Record<string, number>>): LocalStatusReport {
  const paths = Object.entries(rates).map(([name, receiveRateBps]) => samplePath(name, { receiveRateBps }));
  return { ...sampleReport({ paths }), uptimeSeconds };
}

test("the charts have the rates of the reports, whatever their distance; paths come, go and start again", () => {
  let series: Series = { uptimeSeconds: [], paths: [] };
  for (const [uptime, rates] of [
    [1, { a: 0 }],
    [2, { a: 1000 }],
    [4, { a: 3000, b: 500 }],
    [5, { b: 400 }],
  ] as const)
    series = appendReport(series, report(uptime, rates));
  const rates = series.paths.map(({ receiveRateBps }) => receiveRateBps);
  assert.deepEqual(rates, [
    [0, 1000, 3000, null],
    [null, null, 500, 400],
  ]);
  assert.deepEqual(stack(rates), [
    [0, 1000, 3000, 0],
    [0, 1000, 3500, 400],
  ]);
  // The gateway was restarted.
  assert.deepEqual(appendReport(series, report(0.5, { a: 1 })).uptimeSeconds, [0.5]);
});

test("the page's first report takes the place of the history's last: tile and chart say the same", () => {
  const column = [1000, 144];
  const values = { sentBytes: column, receivedBytes: column, sendRateBps: column, receiveRateBps: column };
  const history = {
    uptimeSeconds: [1, 2],
    paths: [{ peer: "home", name: "a", ...values, rttMs: column, minRttMs: column }],
  };
  const series = appendReport(seriesOf(history), report(2.05, { a: 72 }));
  assert.deepEqual(series.uptimeSeconds, [1, 2.05]);
  assert.deepEqual(series.paths[0]?.receiveRateBps, [1000, 72]);
  assert.deepEqual(column, [1000, 144]);
});

test("no more is kept than the gateway keeps", () => {
  let series: Series = { uptimeSeconds: [], paths: [] };
  for (let i = 0; i < 700; i++) series = appendReport(series, report(i, i < 650 ? { a: i } : { b: i }));
  assert.equal(series.uptimeSeconds.length, 600);
  assert.deepEqual(
    series.paths.map(({ receiveRateBps }) => receiveRateBps.length),
    [600, 600],
  );
  assert.equal(series.paths[0]?.receiveRateBps[0], 100);
});
