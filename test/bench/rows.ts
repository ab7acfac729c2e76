/** What is measured on: the lines of a house, as one would buy them. */
import type { ShapedLineOptions } from "../lab/line.ts";

export interface BenchLine extends ShapedLineOptions {
  readonly down: number;
  readonly up: number;
  readonly delayMs: number;
  readonly queueMs: number;
  readonly loss: number;
  /** Only there to be in the way: it counts in no sum, and costs the others what the bar says. */
  readonly isWeak?: boolean;
}

export interface Row {
  readonly name: string;
  readonly lines: readonly BenchLine[];
  /** The least share of the sum of plain TCP. */
  readonly share: number;
  /** Whether the first byte under load has a bar here. */
  readonly boundsLoadedFirstByte?: boolean;
  /** A silent death may take two round trips and 150 ms here, instead of 300 ms. */
  readonly isLong?: boolean;
}

/** The share of plain TCP that is promised on lines that behave. */
export const SHARE = 0.985;

/** Mbit/s down and up, ms one way, ms of queue, share of packets lost. */
function line(name: string, down: number, up: number, delayMs: number, queueMs: number, loss = 0): BenchLine {
  return { name, down: down * 1e6, up: up * 1e6, delayMs, queueMs, loss };
}

const ADSL = [line("adsl1", 8.41, 0.8, 12, 150), line("adsl2", 8.76, 0.8, 15, 150)];
const SAME = [line("same1", 50, 50, 10, 100), line("same2", 50, 50, 10, 100)];
const WEAK: BenchLine = { ...line("weak", 2, 2, 500, 400, 0.05), isWeak: true };
/** What a weak line may cost the others. */
const WEAK_COST = 0.02;

export const ROWS: readonly Row[] = [
  { name: "adsl", lines: ADSL, share: SHARE, boundsLoadedFirstByte: true },
  { name: "same", lines: SAME, share: SHARE, boundsLoadedFirstByte: true },
  {
    name: "rtt",
    lines: [line("near", 50, 50, 7, 100), line("far", 50, 50, 75, 100)],
    share: SHARE,
    isLong: true,
  },
  { name: "bw", lines: [line("fast", 100, 100, 10, 100), line("slow", 10, 10, 10, 100)], share: SHARE },
  {
    name: "dsl_lte",
    lines: [line("dsl", 50, 10, 8, 80), line("lte", 80, 20, 35, 400, 0.0005)],
    share: SHARE,
  },
  {
    name: "lossy",
    lines: [line("clean", 50, 50, 10, 100), line("lossy", 50, 50, 10, 100, 0.01)],
    share: SHARE,
  },
  {
    name: "bloat",
    lines: [line("bloat1", 16, 1, 10, 1000), line("bloat2", 20, 5, 25, 2000)],
    share: SHARE,
    boundsLoadedFirstByte: true,
  },
  {
    name: "sat",
    lines: [line("dsl", 20, 5, 15, 200), line("sat", 50, 5, 300, 400, 0.001)],
    share: 0.95,
    isLong: true,
  },
  {
    name: "three",
    lines: [line("adsl", 8.41, 0.8, 12, 150), line("cable", 30, 5, 15, 200), line("lte", 20, 10, 35, 300)],
    share: SHARE,
  },
  { name: "adsl_weak", lines: [...ADSL, WEAK], share: SHARE * (1 - WEAK_COST) },
  { name: "same_weak", lines: [...SAME, WEAK], share: SHARE * (1 - WEAK_COST) },
];

/** What a bench without --row measures: the rows of the project's promise. */
export const DEFAULT_ROWS: readonly string[] = [
  "adsl",
  "same",
  "rtt",
  "bw",
  "dsl_lte",
  "lossy",
  "bloat",
  "sat",
];

export function strongLines(row: Row): BenchLine[] {
  return row.lines.filter(({ isWeak }) => isWeak !== true);
}

/** Bit/s of the lines that count, as they were bought. */
export function nominalSum(row: Row, direction: "down" | "up"): number {
  return strongLines(row).reduce((sum, candidate) => sum + candidate[direction], 0);
}

/** The longest round trip of the lines that count, ms. */
export function longestRtt(row: Row): number {
  return 2 * Math.max(...strongLines(row).map(({ delayMs }) => delayMs));
}

/** The uplink of the line with the shortest round trip, bit/s. */
export function nearestUplink(row: Row): number {
  const [nearest] = strongLines(row).toSorted((a, b) => a.delayMs - b.delayMs);
  return nearest?.up ?? 0;
}
