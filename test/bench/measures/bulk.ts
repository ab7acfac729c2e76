/** One bulk flow: what of the lines it gets, and what it costs. */
import { download, upload } from "../../lab/traffic/run.ts";
import type { TransferResult } from "../../lab/traffic/tasks.ts";
import { type Measure, type Stand } from "../measure.ts";
import { QUIET_S, SKIP_MS } from "../pace.ts";
import { COUNTED_SECONDS } from "../plain.ts";
import { carried, whenQuiet } from "../quiet.ts";
import { nominalSum } from "../rows.ts";
import { poorestSecond } from "../statistics.ts";

/** Of the best line alone, in every second. */
const POOREST_SHARE = 0.98;
const OVERHEAD = 0.007;
const REDUNDANT = 0.02;

export const down: Measure = {
  name: "down",
  direction: "down",
  needs: ["down"],
  figures: [
    { title: "download / sum of the lines", unit: "share", bar: ({ share }) => ({ atLeast: share }) },
    {
      title: "its poorest second / best line",
      unit: "share",
      bar: () => ({ atLeast: POOREST_SHARE }),
    },
  ],
  expectedSeconds: ({ seconds }) => seconds + QUIET_S,
  take: async ({ house, target, plain, pace: { seconds }, recorder }) => {
    const result = await download(house.lan, { ...target, seconds, skipMs: SKIP_MS });
    recorder?.add(result);
    return shares(result, plain.sumDown, plain.bestDown, seconds);
  },
};

export const up: Measure = {
  name: "up",
  direction: "up",
  needs: ["up"],
  figures: [
    { title: "upload / sum of the lines", unit: "share", bar: ({ share }) => ({ atLeast: share }) },
    {
      title: "its poorest second / best line",
      unit: "share",
      bar: () => ({ atLeast: POOREST_SHARE }),
    },
  ],
  expectedSeconds: ({ seconds }) => seconds + QUIET_S,
  take: async ({ house, row, target, plain, pace: { seconds }, recorder }) => {
    const bytes = Math.round((nominalSum(row, "up") * seconds) / 8);
    const result = await upload(house.lan, { ...target, bytes, seconds, skipMs: SKIP_MS });
    recorder?.add(result);
    return shares(result, plain.sumUp, plain.bestUp, seconds);
  },
};

function shares(result: TransferResult, total: number, best: number, seconds: number): number[] {
  if (result.error !== null) throw new Error(result.error);
  const end = Math.min(seconds * 1000, result.lastByteMs ?? 0);
  return [result.goodputBps / total, poorestSecond(result.timeline, SKIP_MS, end) / best];
}

export const overhead: Measure = {
  name: "overhead",
  needs: ["overhead"],
  figures: [
    { title: "bytes on the lines, above plain TCP", unit: "percent", bar: () => ({ atMost: OVERHEAD }) },
    { title: "redundant bytes", unit: "percent", bar: () => ({ atMost: REDUNDANT }) },
  ],
  expectedSeconds: () => COUNTED_SECONDS + 2 * QUIET_S,
  take: async (stand: Stand) => {
    const { house, row, target, plain, system } = stand;
    // A known number of bytes, all of which arrive: nothing is cut off whose bytes were counted.
    const bytes = Math.round((nominalSum(row, "down") * COUNTED_SECONDS) / 8);
    const [sentBefore, before] = [await system.sent(), await carried(house, ["down"])];
    const { error } = await download(house.lan, { ...target, bytes });
    if (error !== null) throw new Error(error);
    await whenQuiet(house);
    const [sentAfter, after] = [await system.sent(), await carried(house, ["down"])];
    const redundant =
      sentBefore === undefined || sentAfter === undefined
        ? Number.NaN
        : (sentAfter.redundant - sentBefore.redundant) / (sentAfter.bytes - sentBefore.bytes);
    return [(after - before) / bytes / plain.bytesPerByte - 1, redundant];
  },
};
