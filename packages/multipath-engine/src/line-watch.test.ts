import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type LineReport, LineWatch } from "./line-watch.ts";

function report(outstanding: number, hasHole = false): LineReport {
  return { outstanding, unsent: 0, segment: 1_448, hasHole, minRtt: 0, queue: 0 };
}

describe("LineWatch", () => {
  it("knows nothing before the first report", () => {
    const watch = new LineWatch();
    assert.equal(watch.report, undefined);
    assert.equal(watch.outstanding(1_000), Number.POSITIVE_INFINITY);
  });

  it("counts what was sent since the report as outstanding", () => {
    const watch = new LineWatch();
    watch.handleReport(report(600), 1_000);
    assert.equal(watch.outstanding(1_000), 600);
    assert.equal(watch.outstanding(1_700), 1_300);
  });

  it("sees progress in what arrived, not in what was sent", () => {
    const watch = new LineWatch();
    assert.equal(watch.handleReport(report(600), 1_000), true);
    assert.equal(watch.handleReport(report(1_100), 1_500), false);
    assert.equal(watch.handleReport(report(1_120), 1_500), false);
    assert.equal(watch.handleReport(report(900), 1_500), true);
  });

  it("tells the rate of a span in which something was missing, and only of such", () => {
    const watch = new LineWatch();
    watch.handleReport(report(0), 0);
    watch.takeRate(0, 1_000);
    watch.handleReport(report(0), 5_000);
    assert.equal(watch.takeRate(100, 1_099), undefined);
    assert.equal(watch.takeRate(100, 1_100), undefined);
    watch.handleReport(report(2_000, true), 12_000);
    assert.deepEqual(watch.takeRate(100, 1_200), { rate: 50, since: 1_100 });
    watch.handleReport(report(0), 13_000);
    assert.equal(watch.takeRate(100, 1_300), undefined);
  });
});
