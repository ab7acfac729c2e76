/** The idle, metered backup is behind a NAT that forgets connections after 25 s, and the active line dies just then. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Line } from "../../lab/line.ts";
import { count, type FieldFigure, figure, provided, type Scenario, time, type Variant } from "./scenario.ts";
import type { Stand } from "./stand.ts";

const LINES = [provided("A", 20, 8, 10), provided("B", 20, 8, 15)];
const FORGOTTEN_S = 25;
const GAP_MS = 400;
const BYTES_A_DAY = 2e6;
const DAY_S = 86_400;
/** How long the download runs before the death, and after it. */
const LEAD_MS = 2_000;
const AFTERWARDS_S = 5;
/** B has been still for so long before the clock of a phase begins. */
const STILL_MS = 500;
const LOOK_MS = 100;
const PATIENCE_MS = 60_000;

/** @param phases when A dies, each in seconds after B's last use */
async function play(stand: Stand, phases: readonly number[], idleSeconds: number): Promise<FieldFigure[]> {
  await stand.provider("B").forgetIdleAfter(FORGOTTEN_S);
  await stand.startHawser();
  await whenStill(stand.line("B"));
  const idleBytes = await bytesDuring(stand.line("B"), () => sleep(idleSeconds * 1000));
  const gaps: number[] = [];
  for (const phase of phases) {
    gaps.push(await dieAt(stand, phase));
    await recover(stand);
  }
  await stand.read("after the last death");
  const late = gaps.filter((gap) => gap > GAP_MS).length;
  return [
    time(`longest gap of ${gaps.length} deaths`, { hawser: Math.max(...gaps), bar: { atMost: GAP_MS } }),
    count(`gaps over ${GAP_MS} ms`, { hawser: late, bar: { atMost: 0 } }),
    figure("B idle, bytes a day", "bytes", {
      hawser: (idleBytes / idleSeconds) * DAY_S,
      bar: { atMost: BYTES_A_DAY },
    }),
    count("deaths of path B", { hawser: await stand.eventCount("path-down", "B"), bar: undefined }),
  ];
}

/** The gap of a download under which A dies, so many seconds after B was used last. */
async function dieAt(stand: Stand, phase: number): Promise<number> {
  await whenStill(stand.line("B"));
  await sleep(phase * 1000 - LEAD_MS - STILL_MS);
  const bulk = stand.bulk("down", LEAD_MS / 1000 + AFTERWARDS_S);
  await sleep(LEAD_MS);
  await stand.line("A").set({ blackhole: true });
  const { gapMs } = await bulk.over;
  return gapMs;
}

async function recover(stand: Stand): Promise<void> {
  await stand.line("A").set({ blackhole: false });
  await stand.hawser.whenPaths((states) => states.every((state) => state === "up"));
}

async function whenStill(line: Line): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  for (let still = 0; still < STILL_MS; ) {
    if (performance.now() > deadline) throw new Error(`line ${line.name} is never still`);
    const bytes = await bytesDuring(line, () => sleep(LOOK_MS));
    still = bytes === 0 ? still + LOOK_MS : 0;
  }
}

/** What the line carries meanwhile, both ways together. */
async function bytesDuring(line: Line, during: () => Promise<unknown>): Promise<number> {
  const carried = async (): Promise<number> => {
    const { down, up } = await line.counters();
    return down.deliveredBytes + up.deliveredBytes;
  };
  const before = await carried();
  await during();
  return (await carried()) - before;
}

function variant(name: string, phases: readonly number[], idleSeconds: number, isQuick: boolean): Variant {
  const all = phases.reduce((sum, phase) => sum + phase + AFTERWARDS_S + 5, 0);
  return {
    name,
    isQuick,
    seconds: all + idleSeconds + 10,
    lines: LINES,
    hawser: { paths: { B: 'role = "backup"\nmetered = true' } },
    play: (stand) => play(stand, phases, idleSeconds),
  };
}

export const natForgets: Scenario = {
  name: "nat-forgets",
  about: "an idle metered backup behind a NAT of 25 s; the active line dies at several moments",
  variants: [
    variant("late", [27, 28.5], 65, true),
    variant(
      "20-phases",
      Array.from({ length: 20 }, (_, index) => 3 + index * 1.5),
      130,
      false,
    ),
  ],
};
