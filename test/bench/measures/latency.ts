/** The first byte of new connections: on idle lines, and while one bulk flow fills them. */
import { setTimeout as sleep } from "node:timers/promises";
import { firstByte, type Running, start } from "../../lab/traffic/run.ts";
import { percentile } from "../../lab/traffic/short.ts";
import { type Bar, type Figure, type Measure, type Stand } from "../measure.ts";
import { QUIET_S } from "../pace.ts";
import { nearestUplink, nominalSum, type Row } from "../rows.ts";

const IDLE_SHARE = 0.6;
/** Above the best round trip, ms. */
const LOADED: Bars = { p50: 10, p99: 25 };
/** Where one packet takes 15 ms to leave. */
const LOADED_NARROW: Bars = { p50: 60, p99: 120 };
const NARROW_BPS = 2e6;

/** How long the bulk flow runs before the first connection, ms. */
const LEAD_MS = 2_000;
const PAUSE_MS = 40;
/** About how long one connection takes with its pause, s. */
const SAMPLE_S = 0.12;
const BATCH = 10;
/** A connection without a byte by then counts as if it had come then. */
const TIMEOUT_MS = 5_000;
/** Fewer connections are made when they take this long. */
const LONGEST_S = 40;

interface Bars {
  readonly p50: number;
  readonly p99: number;
}

export const idle: Measure = {
  name: "idle",
  needs: [],
  figures: [{ title: "first byte idle / direct", unit: "share", bar: () => ({ atMost: IDLE_SHARE }) }],
  expectedSeconds: ({ idleSamples }) => idleSamples * SAMPLE_S + QUIET_S,
  take: async ({ house, target, plain, pace: { idleSamples } }) => {
    const { p50, failed } = await firstByte(house.lan, { ...target, count: idleSamples });
    if (failed > 0) throw new Error(`${failed} of ${idleSamples} connections got no byte`);
    return [p50 / plain.firstByteMs];
  },
};

export const duringDownload: Measure = {
  name: "load-down",
  needs: [],
  figures: loadedFigures("download", () => LOADED),
  expectedSeconds: ({ loadedSamples }) => LEAD_MS / 1000 + loadedSamples * SAMPLE_S + QUIET_S,
  take: (stand) => {
    const load = start(stand.house.lan, {
      op: "download",
      ...stand.target,
      seconds: LONGEST_S + 20,
      check: false,
    });
    return underLoad(stand, load);
  },
};

export const duringUpload: Measure = {
  name: "load-up",
  needs: [],
  figures: loadedFigures("upload", (row) => (nearestUplink(row) < NARROW_BPS ? LOADED_NARROW : LOADED)),
  expectedSeconds: ({ loadedSamples }) => LEAD_MS / 1000 + loadedSamples * SAMPLE_S + QUIET_S,
  take: (stand) => {
    const bytes = Math.round((nominalSum(stand.row, "up") * (LONGEST_S + 20)) / 8);
    return underLoad(stand, start(stand.house.lan, { op: "upload", ...stand.target, bytes }));
  },
};

function loadedFigures(what: string, bars: (row: Row) => Bars): Figure[] {
  const bar =
    (rank: "p50" | "p99") =>
    (row: Row): Bar | undefined =>
      row.boundsLoadedFirstByte ? { atMost: bars(row)[rank] } : undefined;
  return [
    { title: `first byte during ${what}, p50 - best RTT`, unit: "ms", bar: bar("p50") },
    { title: `first byte during ${what}, p99 - best RTT`, unit: "ms", bar: bar("p99") },
  ];
}

async function underLoad(stand: Stand, load: Running<unknown>): Promise<number[]> {
  let isOver = false;
  const over = load.result.then(
    () => (isOver = true),
    () => (isOver = true),
  );
  try {
    await sleep(LEAD_MS);
    const ms = await sample(stand);
    if (isOver) throw new Error("the bulk flow ended before the last connection");
    const { rttMs } = stand.plain;
    return [percentile(ms, 0.5) - rttMs, percentile(ms, 0.99) - rttMs];
  } finally {
    load.process.kill("SIGKILL");
    await over;
  }
}

async function sample({ house, target, pace: { loadedSamples } }: Stand): Promise<number[]> {
  const until = performance.now() + LONGEST_S * 1000;
  const ms: number[] = [];
  while (ms.length < loadedSamples && performance.now() < until) {
    const batch = { ...target, count: BATCH, pauseMs: PAUSE_MS, timeoutMs: TIMEOUT_MS };
    const result = await firstByte(house.lan, batch);
    ms.push(...result.ms, ...Array.from({ length: result.failed }, () => TIMEOUT_MS));
  }
  return ms;
}
