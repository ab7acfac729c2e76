/** What a download looks like while it runs: pure text. */
import { stackedBar } from "../progress/bar.ts";

const BAR_WIDTH = 24;
const TITLE_WIDTH = 22;

/** Always as wide, up to 9999 Mbit/s. */
export function formatRate(bps: number): string {
  return `${(bps / 1e6).toFixed(2).padStart(7)} Mbit/s`;
}

export interface StepView {
  readonly title: string;
  /** The download's own rate. */
  readonly bps: number;
  /** What each line carries of late, in bit/s of IP packets. */
  readonly carried: readonly number[];
  /** The rate that fills the bar. */
  readonly fullBps: number;
  /** How long it goes on; none: it is over. */
  readonly leftMs?: number;
}

/** One line: the bar is as long as the rate is high, and shows which line has which part of it. */
export function stepLine({ title, bps, carried, fullBps, leftMs }: StepView): string {
  const total = carried.reduce((sum, rate) => sum + rate, 0);
  // The headers' share of the packets is left out: the parts are to add up to the rate that stands beside them.
  const parts = carried.map((rate) => (total > 0 ? (rate / total) * bps : 0));
  const used = parts.filter((part) => part > 0.02 * bps);
  const sum = used.length < 2 ? "" : used.map((part) => (part / 1e6).toFixed(1)).join(" + ");
  const left = leftMs === undefined ? "" : `${Math.ceil(Math.max(0, leftMs) / 1000)} s`;
  const shares = parts.map((part) => part / fullBps);
  return `  ${title.padEnd(TITLE_WIDTH)}${stackedBar(shares, BAR_WIDTH)}${formatRate(bps)} ${left.padStart(4)}  ${sum}`.trimEnd();
}

/** The rate of the last second, from how many bytes had come at which times. */
export class RecentRate {
  readonly #windowMs: number;
  readonly #samples: { ms: number; bytes: number }[] = [{ ms: 0, bytes: 0 }];

  constructor(windowMs = 1000) {
    this.#windowMs = windowMs;
  }

  /** Bit/s over the window that ends now. */
  add(ms: number, bytes: number): number {
    const samples = this.#samples;
    samples.push({ ms, bytes });
    // The first one that stays is the last that is not younger than the window.
    while (samples.length > 2 && ms - (samples[1]?.ms ?? ms) >= this.#windowMs) samples.shift();
    const first = samples[0] ?? { ms, bytes };
    return ms > first.ms ? ((bytes - first.bytes) * 8000) / (ms - first.ms) : 0;
  }
}
