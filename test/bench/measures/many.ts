/** Several flows at once, and one whose reader does not read. */
import { fileURLToPath } from "node:url";
import { download } from "../../lab/traffic/run.ts";
import type { TransferResult } from "../../lab/traffic/tasks.ts";
import { type Measure, type Stand } from "../measure.ts";
import { QUIET_S, SKIP_MS } from "../pace.ts";
import { whenQuiet } from "../quiet.ts";
import { jain, rateBetween, sum } from "../statistics.ts";

const FLOWS = 10;
const FAIR = 0.95;
const STALL_SHARE = 0.99;

export const ten: Measure = {
  name: "ten",
  needs: ["down"],
  figures: [
    { title: "ten downloads: Jain's index", unit: "share", bar: () => ({ atLeast: FAIR }) },
    { title: "ten downloads / sum of the lines", unit: "share", bar: ({ share }) => ({ atLeast: share }) },
  ],
  expectedSeconds: ({ seconds }) => seconds + 1 + 2 * QUIET_S,
  take: async ({ house, target, plain, pace: { seconds } }) => {
    // One process starts after the other, so each has its own beginning and runs longer than what is looked at.
    const task = { ...target, seconds: seconds + 1, check: false };
    const results = await Promise.all(Array.from({ length: FLOWS }, () => download(house.lan, task)));
    const rates = ratesInCommon(results, seconds + 1);
    return [jain(rates), sum(rates) / plain.sumDown];
  },
};

/** Bit/s of each in the time in which all were under way, its beginning left out. */
function ratesInCommon(results: readonly TransferResult[], seconds: number): number[] {
  const from = Math.max(...results.map(({ startedAt }) => startedAt)) + 2 * SKIP_MS;
  const to = Math.min(...results.map(({ startedAt }) => startedAt)) + seconds * 1000;
  return results.map(({ timeline, startedAt }) => rateBetween(timeline, from - startedAt, to - startedAt));
}

export const stalled: Measure = {
  name: "stall",
  needs: [],
  figures: [
    {
      title: "download beside a stalled reader / without",
      unit: "share",
      bar: () => ({ atLeast: STALL_SHARE }),
    },
  ],
  expectedSeconds: ({ stallSeconds }) => 2 * stallSeconds + 4 * QUIET_S,
  take: besideStalledReader,
};

async function besideStalledReader({ house, target, pace }: Stand): Promise<number[]> {
  const task = { ...target, seconds: pace.stallSeconds, skipMs: SKIP_MS };
  const without = await download(house.lan, task);
  await whenQuiet(house);
  const program = fileURLToPath(new URL("../stalled-reader.ts", import.meta.url));
  const reader = house.lan.spawn(process.execPath, [program, target.host, String(target.port)], {
    stdio: "ignore",
  });
  try {
    // Until all that may be in flight for it is.
    await whenQuiet(house);
    const { goodputBps } = await download(house.lan, task);
    return [goodputBps / without.goodputBps];
  } finally {
    reader.kill("SIGKILL");
  }
}
