/**
 * For tuning: one bulk download over each of many random pairs of lines, `node test/sim/sweep.ts [COUNT] [SEED]`. Prints
 * how the shares of the lines' sum and their queues are distributed, and the ten worst pairs; SEED is the first pair's,
 * the next one's is one more, so that a single pair runs again with `1 SEED`.
 */

import { Random } from "@hawser/shared-protocol/testing";
import { Bulk } from "./bulk.ts";
import { type LineSpec, line, mbit } from "./network.ts";

/** Mbit/s, and milliseconds of a round trip. */
const RATES = [1, 300] as const;
const ROUND_TRIPS = [2, 300] as const;
/** Startup is not judged: this long, and so many round trips of the slower line. */
const SETTLE = 2_000;
const SETTLE_ROUNDS = 15;
const MEASURED = 8_000;
const WORST = 10;

interface Outcome {
  readonly name: string;
  readonly share: number;
  /** Half of the time, and 95 % of it, no line's queue is longer, milliseconds. */
  readonly half: number;
  readonly most: number;
}

function run(seed: number): Outcome {
  const random = new Random(seed);
  const lines = [randomLine("a", random), randomLine("b", random)];
  const bulk = new Bulk(lines, "down", { seed });
  bulk.run(SETTLE + SETTLE_ROUNDS * Math.max(...lines.map(roundTrip)));
  const share = bulk.run(MEASURED);
  const [half, most] = bulk.queues(MEASURED / 2, 0.5, 0.95) as [number, number];
  return { name: `seed ${seed}: ${lines.map(describe).join(" and ")}`, share, half, most };
}

/** The uplink has between a tenth of the downlink's rate and all of it. */
function randomLine(name: string, random: Random): LineSpec {
  const down = spread(RATES, random);
  return line(name, down, down * spread([0.1, 1], random), spread(ROUND_TRIPS, random) / 2);
}

/** As many between 1 and 10 as between 10 and 100. */
function spread([low, high]: readonly [number, number], random: Random): number {
  return low * (high / low) ** random.next();
}

function roundTrip({ up, down }: LineSpec): number {
  return up.delay + down.delay;
}

function describe(spec: LineSpec): string {
  const [down, up] = [spec.down.rate / mbit(1), spec.up.rate / mbit(1)];
  return `${down.toPrecision(3)}/${up.toPrecision(3)} Mbit/s ${roundTrip(spec).toFixed(0)} ms`;
}

function show({ name, share, half, most }: Outcome): string {
  return `${share.toFixed(3)} of the sum, queues ${half.toFixed(0)} and ${most.toFixed(0)} ms, ${name}`;
}

/** The values that so many hundredths of all do not exceed. */
function distribution(title: string, values: readonly number[], digits: number): string {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (percent: number): string =>
    `${percent} %: ${sorted[Math.round((percent / 100) * (sorted.length - 1))]?.toFixed(digits)}`;
  return `${title.padEnd(24)}${[0, 1, 5, 10, 25, 50, 75, 90, 95, 99, 100].map(at).join("  ")}`;
}

const [count, first] = [Number(process.argv[2] ?? 200), Number(process.argv[3] ?? 1)];
const outcomes = Array.from({ length: count }, (_, index) => run(first + index));
const column = (key: "share" | "half" | "most"): number[] => outcomes.map((outcome) => outcome[key]);
console.log(distribution("share of the sum", column("share"), 3));
console.log(distribution("queue half the time, ms", column("half"), 0));
console.log(distribution("queue 95 % of it, ms", column("most"), 0));
console.log("\nthe least of the sum:");
for (const outcome of outcomes.toSorted((a, b) => a.share - b.share).slice(0, WORST))
  console.log(show(outcome));
console.log("\nthe longest queues:");
for (const outcome of outcomes.toSorted((a, b) => b.half - a.half).slice(0, WORST))
  console.log(show(outcome));
