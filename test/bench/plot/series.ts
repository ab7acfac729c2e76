/** From what was counted to curves. */
import { TIMELINE_STEP_MS } from "../../lab/traffic/meter.ts";
import { type Recording, rateBetween, type Transfer } from "./recording.ts";

export interface Point {
  readonly ms: number;
  readonly bps: number;
}

/** Steps of a transfer's timeline that make one point: fewer would show single bursts. */
const STEPS_PER_POINT = 2;

/** Each line's rate on top of the rates of those before it; the last is that of all together. */
export function stack({ lines, samples }: Recording): Point[][] {
  const pairs = samples.slice(1).map((to, index) => ({ from: samples[index], to }));
  const below = pairs.map(() => 0);
  return lines.map((_, line) =>
    pairs.map(({ from, to }, index) => {
      below[index] = (below[index] ?? 0) + rateBetween(from, to, line);
      return { ms: ((from?.ms ?? to.ms) + to.ms) / 2, bps: below[index] };
    }),
  );
}

/** What the receiver got, bit/s. A last step that is not whole is left out. */
export function goodput({ fromMs, timeline }: Transfer): Point[] {
  const points: Point[] = [];
  for (let at = 0; at + STEPS_PER_POINT <= timeline.length; at += STEPS_PER_POINT) {
    const bytes = timeline.slice(at, at + STEPS_PER_POINT).reduce((total, count) => total + count, 0);
    const spanMs = STEPS_PER_POINT * TIMELINE_STEP_MS;
    points.push({ ms: fromMs + at * TIMELINE_STEP_MS + spanMs / 2, bps: (bytes * 8000) / spanMs });
  }
  return points;
}
