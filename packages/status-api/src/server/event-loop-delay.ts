/**
 * How late this process's timers come: how long the event loop is held up by what it does. prom-client's own measure
 * wakes the process a hundred times a second, for ever.
 */

import { createHistogram } from "node:perf_hooks";
import { setImmediate as nextTurn } from "node:timers/promises";
import { everySecond } from "@hawser/gateway-kit";
import { Gauge, type Registry } from "prom-client";

/** While the process has work a timer of this period is watched, milliseconds; an idle one is watched once a second. */
const PERIOD_MS = 20;
const SECOND_MS = 1_000;
/** A second counts as busy when the event loop worked for more than this share of it; two in a row are work. */
const BUSY = 0.2;
const NS_PER_MS = 1e6;

type Histogram = ReturnType<typeof createHistogram>;

/** The names of prom-client's metrics. The value is in nanoseconds. */
const GAUGES: readonly (readonly [name: string, help: string, value: (delays: Histogram) => number])[] = [
  ["min", "The shortest event loop delay since the last scrape.", ({ min }) => min],
  ["max", "The longest event loop delay since the last scrape.", ({ max }) => max],
  ["mean", "The mean of the event loop delays since the last scrape.", ({ mean }) => mean],
  [
    "stddev",
    "The standard deviation of the event loop delays since the last scrape.",
    ({ stddev }) => stddev,
  ],
  ["p50", "The median of the event loop delays since the last scrape.", (all) => all.percentile(50)],
  ["p90", "The 90th percentile of the event loop delays since the last scrape.", (all) => all.percentile(90)],
  ["p99", "The 99th percentile of the event loop delays since the last scrape.", (all) => all.percentile(99)],
];

/** Notes how late a timer comes that is set anew each time. */
class Lateness {
  readonly #delays: Histogram;
  readonly #period: number;
  #at = performance.now();

  constructor(delays: Histogram, periodMs: number) {
    this.#delays = delays;
    this.#period = periodMs;
  }

  handleTimer(): void {
    const now = performance.now();
    const late = now - this.#at - this.#period;
    this.#at = now;
    this.#delays.record(Math.max(1, Math.round(late * NS_PER_MS)));
  }
}

export interface EventLoopDelay {
  /** Brings the metrics to what was measured since the last time. */
  fill(): Promise<void>;
  /** Ends the measuring. */
  close(): void;
}

/** Measures from now on. */
export function eventLoopDelayMetrics(register: Registry): EventLoopDelay {
  const delays = createHistogram();
  const close = watchDelays(delays);
  const registers = [register];
  const name = (what: string): string => `nodejs_eventloop_lag_${what}seconds`;
  const now = new Gauge({ name: name(""), help: "How long a turn of the event loop takes.", registers });
  const gauges = GAUGES.map(([what, help, value]) => {
    const gauge = new Gauge({ name: name(`${what}_`), help, registers });
    return () => gauge.set(delays.count === 0 ? 0 : value(delays) / 1e9);
  });
  return {
    async fill() {
      const from = performance.now();
      await nextTurn();
      now.set((performance.now() - from) / 1_000);
      for (const fill of gauges) fill();
      delays.reset();
    },
    close,
  };
}

/** The result ends it. */
function watchDelays(delays: Histogram): () => void {
  const coarse = new Lateness(delays, SECOND_MS);
  let before = performance.eventLoopUtilization();
  let wasBusy = false;
  let fine: NodeJS.Timeout | undefined;
  const end = everySecond(() => {
    coarse.handleTimer();
    const now = performance.eventLoopUtilization();
    const isBusy = performance.eventLoopUtilization(now, before).utilization > BUSY;
    const isAtWork = isBusy && wasBusy;
    before = now;
    wasBusy = isBusy;
    if (isAtWork === (fine !== undefined)) return;
    clearInterval(fine);
    const timer = new Lateness(delays, PERIOD_MS);
    fine = isAtWork ? setInterval(() => timer.handleTimer(), PERIOD_MS).unref() : undefined;
  });
  return () => {
    end();
    clearInterval(fine);
  };
}
