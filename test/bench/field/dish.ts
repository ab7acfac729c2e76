/** A satellite dish that is given another satellite each 15 s: a pause, then another rate and another delay. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Line } from "../../lab/line.ts";
import { randomSource } from "../../lab/random.ts";

export const PERIOD_MS = 15_000;
/** A quarter of what people measure, so that the machine is not what limits. */
const DOWN = { least: 12e6, most: 55e6 };
const UP = { least: 2e6, most: 6e6 };
const DELAY_MS = { least: 12, most: 35 };
const PAUSE_MS = { least: 100, most: 300 };

export interface Change {
  readonly atMs: number;
  /** Nothing passes for so long before it is in force. */
  readonly pauseMs: number;
  readonly down: number;
  readonly up: number;
  readonly delayMs: number;
}

/** What the dish does for so long; the same for the same seed. Its first satellite changes at `firstMs`. */
export function schedule(seed: number, firstMs: number, lengthMs: number): Change[] {
  const random = randomSource(seed);
  const between = ({ least, most }: { least: number; most: number }): number =>
    Math.round(least + ((most - least) * random()) / 2 ** 32);
  const change = (atMs: number): Change => ({
    atMs,
    pauseMs: atMs === 0 ? 0 : between(PAUSE_MS),
    down: between(DOWN),
    up: between(UP),
    delayMs: between(DELAY_MS),
  });
  const later = Math.max(0, Math.ceil((lengthMs - firstMs) / PERIOD_MS));
  return [0, ...Array.from({ length: later }, (_, index) => firstMs + index * PERIOD_MS)].map(change);
}

/** Has the line follow the schedule, from now to its last change. */
export async function follow(line: Line, changes: readonly Change[]): Promise<void> {
  const began = performance.now();
  for (const { atMs, pauseMs, down, up, delayMs } of changes) {
    await sleep(Math.max(0, atMs - (performance.now() - began)));
    if (pauseMs > 0) {
      await line.set({ blackhole: true });
      await sleep(pauseMs);
    }
    await line.set({ down, up, delayMs, blackhole: false });
  }
}
