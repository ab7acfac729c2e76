/** A provider slows a connection down once it has carried 20 MB, while a fresh one has the line's whole rate. */
import { setTimeout as sleep } from "node:timers/promises";
import { type BenchLine, SHARE as PROMISED } from "../rows.ts";
import { sum } from "../statistics.ts";
import { type FieldFigure, provided, rate, type Scenario, seconds, type Variant } from "./scenario.ts";
import type { Stand } from "./stand.ts";

const A = provided("A", 18, 8, 10);
const B = provided("B", 18, 8, 15);
const AFTER_BYTES = 20e6;
const SECONDS = 50;
/** What every transfer leaves out of its beginning. */
const BEGINNING_MS = 3_000;
const SHARE = 0.9;
/** As long as it may take after each decay. */
const CURE_S = 10;
/** What tries may cost a line that really is slow, beside what Hawser costs any line. */
const TRIES = 0.01;
const SLOW_BPS = 1e6;

async function playDecay(stand: Stand, bps: number): Promise<FieldFigure[]> {
  const fresh = sum(Object.values(await stand.plain("down")));
  await stand.provider("A").setDecay({ afterBytes: AFTER_BYTES, bps });
  await stand.startHawser();
  const began = Date.now();
  const flow = await stand.bulk("down", SECONDS).over;
  await stand.read("after the download");
  // The connection is as slow as before, and a fresh one as fast as ever.
  const later = Date.now();
  const next = await stand.bulk("down", 6).over;
  const plain = await stand.plain("down", { lines: ["A"] });
  return [
    rate(`download of ${SECONDS} s`, {
      hawser: flow.rate(began + BEGINNING_MS),
      plain: plain["A"] ?? 0,
      bar: undefined,
    }),
    seconds("longest time below 0.9 of fresh ones", {
      hawser: flow.longestBelow(SHARE * fresh, began + BEGINNING_MS),
      bar: { atMost: CURE_S },
    }),
    rate("next download", { hawser: next.rate(later + 2_000), plain: plain["A"] ?? 0, bar: undefined }),
  ];
}

/** The line itself is slow, and no fresh connection helps. */
async function playSlowLine(stand: Stand): Promise<FieldFigure[]> {
  const line = stand.line("A");
  const rated = { down: A.down, up: A.up };
  await line.set({ down: SLOW_BPS });
  const plainBegan = Date.now();
  const plain = await stand.bulk("down", 15, stand.targetOver("A")).over;
  await line.set(rated);
  await stand.startHawser();
  const bulk = stand.bulk("down", SECONDS);
  await sleep(8_000);
  await line.set({ down: SLOW_BPS });
  const slowFrom = Date.now() + 5_000;
  const flow = await bulk.over;
  await stand.read("after the download");
  const plainBps = plain.rate(plainBegan + 5_000);
  return [
    rate("download over the slow line", {
      hawser: flow.rate(slowFrom),
      plain: plainBps,
      bar: { atLeast: (1 - TRIES) * PROMISED * plainBps },
    }),
  ];
}

function decaying(bps: number, lines: readonly BenchLine[]): Variant {
  const which = lines.length === 1 ? "alone" : "beside-another";
  return {
    name: `${bps / 1e6}-${which}`,
    isQuick: bps === 1e6 && lines.length === 1,
    seconds: 95,
    lines,
    play: (stand) => playDecay(stand, bps),
  };
}

export const decay: Scenario = {
  name: "decay",
  about:
    "connections slow down to 2, 1 or 0.5 Mbit/s after 20 MB, fresh ones have 18; a line that really is slow",
  variants: [
    ...[2e6, 1e6, 0.5e6].flatMap((bps) => [decaying(bps, [A]), decaying(bps, [A, B])]),
    { name: "slow-line", seconds: 90, lines: [A], play: playSlowLine },
  ],
};
