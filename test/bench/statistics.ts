/** The arithmetic of the bench. */
import { TIMELINE_STEP_MS } from "../lab/traffic/meter.ts";

export function median(values: readonly number[]): number {
  const sorted = values.filter((value) => !Number.isNaN(value)).toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  if (upper === undefined) return Number.NaN;
  if (sorted.length % 2 === 1) return upper;
  const lower = sorted[middle - 1] as number;
  return upper === lower ? upper : (lower + upper) / 2;
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Jain's fairness index: 1 when all have the same, 1/n when one has all. */
export function jain(values: readonly number[]): number {
  const squares = sum(values.map((value) => value * value));
  return squares === 0 ? Number.NaN : sum(values) ** 2 / (values.length * squares);
}

/** Bit/s of the poorest whole second of a timeline, from `fromMs` to `toMs`. */
export function poorestSecond(timeline: readonly number[], fromMs: number, toMs: number): number {
  const rates: number[] = [];
  for (let at = fromMs; at + 1000 <= toMs; at += 1000) rates.push(rateBetween(timeline, at, at + 1000));
  return rates.length === 0 ? Number.NaN : Math.min(...rates);
}

/** Bit/s of a timeline between two of its steps, nearest to the times given. */
export function rateBetween(timeline: readonly number[], fromMs: number, toMs: number): number {
  const from = Math.round(fromMs / TIMELINE_STEP_MS);
  const to = Math.round(toMs / TIMELINE_STEP_MS);
  if (to <= from) return Number.NaN;
  return (sum(timeline.slice(from, to)) * 8000) / ((to - from) * TIMELINE_STEP_MS);
}

/**
 * The longest time, in whole seconds, in which every second of a timeline had less than that rate. What the timeline does
 * not have before `toMs` had nothing.
 */
export function longestBelow(
  timeline: readonly number[],
  bps: number,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): number {
  let longest = 0;
  let length = 0;
  for (let at = fromMs; at + 1000 <= toMs; at += 1000) {
    length = rateBetween(timeline, at, at + 1000) < bps ? length + 1 : 0;
    longest = Math.max(longest, length);
  }
  return longest;
}

/** How many bytes had come by then. */
export interface Sample {
  readonly ms: number;
  readonly bytes: number;
}

export interface Silence {
  readonly ms: number;
  /** When it ended. */
  readonly endMs: number;
}

/** The longest time without a byte that ended, or was still going on, between the two times. */
export function longestSilence(samples: readonly Sample[], fromMs: number, toMs: number): Silence {
  let longest: Silence = { ms: 0, endMs: fromMs };
  let bytes = -1;
  let since = 0;
  for (const sample of samples) {
    if (sample.ms > toMs) break;
    const length = sample.ms - since;
    if (bytes >= 0 && sample.ms >= fromMs && length > longest.ms) longest = { ms: length, endMs: sample.ms };
    if (sample.bytes === bytes) continue;
    bytes = sample.bytes;
    since = sample.ms;
  }
  return longest;
}

/** Bit/s between two times. */
export function rateOfSamples(samples: readonly Sample[], fromMs: number, toMs: number): number {
  const inside = samples.filter(({ ms }) => ms >= fromMs && ms <= toMs);
  const first = inside[0];
  const last = inside.at(-1);
  if (first === undefined || last === undefined || last.ms <= first.ms) return Number.NaN;
  return ((last.bytes - first.bytes) * 8000) / (last.ms - first.ms);
}
