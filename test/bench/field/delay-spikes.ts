/** A line's packets all take 3 s longer for a while, as in a phone's network that reconsiders, and none is lost. */
import { setTimeout as sleep } from "node:timers/promises";
import { count, type FieldFigure, figure, provided, type Scenario, seconds, time } from "./scenario.ts";
import type { Stand } from "./stand.ts";

const A = provided("A", 20, 8, 10);
const B = provided("B", 20, 8, 25);
const SPIKE_MS = 3_000;
const BEFORE_MS = 4_000;
/** How long B's return is waited for. */
const WATCHED_S = 10;
const GAP_MS = 400;
const USED_S = 1;
const KILLED_SHARE = 0.1;

async function play(stand: Stand, spikes: number): Promise<FieldFigure[]> {
  await stand.startHawser();
  const gaps: number[] = [];
  const returns: number[] = [];
  for (let spike = 0; spike < spikes; spike++) {
    const bulk = stand.bulk("down", (BEFORE_MS + SPIKE_MS) / 1000 + WATCHED_S);
    await sleep(BEFORE_MS);
    await stand.line("B").set({ delayMs: B.delayMs + SPIKE_MS });
    await sleep(SPIKE_MS);
    await stand.line("B").set({ delayMs: B.delayMs });
    returns.push(await stand.usedAgain("B", "down", WATCHED_S));
    const { gapMs } = await bulk.over;
    gaps.push(gapMs);
  }
  await stand.read("after the last spike");
  const deaths = await stand.eventCount("path-down", "B");
  return [
    figure("spikes that kill the line", "share", { hawser: deaths / spikes, bar: { atMost: KILLED_SHARE } }),
    time("longest gap", { hawser: Math.max(...gaps), bar: { atMost: GAP_MS } }),
    seconds("used again after a spike, at the latest", {
      hawser: Math.max(...returns),
      bar: { atMost: USED_S },
    }),
    count("events of its path", { hawser: await eventsOfB(stand), bar: undefined }),
  ];
}

async function eventsOfB(stand: Stand): Promise<number> {
  const counts = await Promise.all(
    (["path-suspect", "path-down", "path-back"] as const).map((type) => stand.eventCount(type, "B")),
  );
  return counts.reduce((sum, number) => sum + number, 0);
}

export const delaySpikes: Scenario = {
  name: "delay-spikes",
  about: "every packet of line B takes 3 s longer for 3 s",
  variants: [
    { name: "2-spikes", isQuick: true, seconds: 45, lines: [A, B], play: (stand) => play(stand, 2) },
    { name: "10-spikes", seconds: 185, lines: [A, B], play: (stand) => play(stand, 10) },
  ],
};
