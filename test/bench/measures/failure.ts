/** Lines that die and return while one bulk flow runs. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Line } from "../../lab/line.ts";
import { start } from "../../lab/traffic/run.ts";
import { type Bar, type Measure, type Stand } from "../measure.ts";
import { type Pace, QUIET_S, SKIP_MS } from "../pace.ts";
import { whenQuiet } from "../quiet.ts";
import { longestRtt, nominalSum, type Row, strongLines } from "../rows.ts";
import { longestSilence, rateOfSamples, sum } from "../statistics.ts";
import { watchDownload } from "../watched.ts";

const SILENT_GAP_MS = 300;
const LONG_SILENT_GAP_MS = 150;
const NOTICED_GAP_MS = 100;
const REGAINED_SHARE = 0.9;
/** How long after the flow resumes its rate is looked at, and for how long. */
const REGAIN_MS = 500;
const REGAIN_SPAN_MS = 1_000;
const RETURN_S = 2;
const RETURN_GAP_MS = 100;
/** So many bytes in one look are the flow's: more than the handshakes of a new connection. */
const FLOW_BYTES = 6_000;
const USED_SHARE = 0.25;
const LOOK_MS = 50;
/** The rate is taken over so many looks. */
const RATE_LOOKS = 2;

/** When the line dies, ms into the flow, and how long the flow goes on. */
const DEATH_MS = 4_000;
const AFTERWARDS_MS = 5_000;

export const deathDown: Measure = {
  name: "death-down",
  direction: "down",
  needs: ["down"],
  figures: [
    { title: "line silently dead mid-download: gap", unit: "ms", bar: silentBar },
    {
      title: "rate 0.5 s after it / surviving lines",
      unit: "share",
      bar: () => ({ atLeast: REGAINED_SHARE }),
    },
  ],
  expectedSeconds: expectedOfDeaths,
  take: (stand) => worstOf(stand, (line) => dieDuringDownload(stand, line, silently(line))),
};

export const deathUp: Measure = {
  name: "death-up",
  direction: "up",
  needs: [],
  figures: [{ title: "line silently dead mid-upload: gap", unit: "ms", bar: silentBar }],
  expectedSeconds: expectedOfDeaths,
  take: (stand) => worstOf(stand, (line) => dieDuringUpload(stand, line)),
};

export const interfaceDown: Measure = {
  name: "interface",
  direction: "down",
  needs: ["down"],
  figures: [
    {
      title: "interface down mid-download: gap",
      unit: "ms",
      bar: (row) => ({ atMost: longestRtt(row) + NOTICED_GAP_MS }),
    },
    {
      title: "rate 0.5 s after it / surviving lines",
      unit: "share",
      bar: () => ({ atLeast: REGAINED_SHARE }),
    },
  ],
  expectedSeconds: expectedOfDeaths,
  take: (stand) =>
    worstOf(stand, (line) =>
      dieDuringDownload(stand, line, { die: () => line.down(), revive: () => line.up() }),
    ),
};

export const comeback: Measure = {
  name: "return",
  direction: "down",
  needs: [],
  figures: [
    { title: "line back: carries the flow after", unit: "s", bar: () => ({ atMost: RETURN_S }) },
    { title: "a quarter of its rate after", unit: "s", bar: () => ({ atMost: RETURN_S }) },
    { title: "longest gap through it", unit: "ms", bar: () => ({ atMost: RETURN_GAP_MS }) },
  ],
  expectedSeconds: ({ darkSeconds, returnSeconds }) =>
    DEATH_MS / 1000 + darkSeconds + returnSeconds + 2 * QUIET_S,
  take: returnDuringDownload,
};

/** Of each line one after the other. */
function expectedOfDeaths(_: Pace, lines: number): number {
  return lines * ((DEATH_MS + AFTERWARDS_MS) / 1000 + QUIET_S);
}

interface Fate {
  die(): Promise<void>;
  revive(): Promise<void>;
}

function silently(line: Line): Fate {
  return { die: () => line.set({ blackhole: true }), revive: () => line.set({ blackhole: false }) };
}

function silentBar(row: Row): Bar {
  return { atMost: row.isLong ? 2 * longestRtt(row) + LONG_SILENT_GAP_MS : SILENT_GAP_MS };
}

/** Every line that counts dies once; of each figure, the worst: the longest gap, the lowest rate. */
async function worstOf(stand: Stand, take: (line: Line) => Promise<readonly number[]>): Promise<number[]> {
  const results: (readonly number[])[] = [];
  for (const { name } of strongLines(stand.row)) {
    results.push(await take(stand.house.line(name)));
    await recover(stand);
  }
  const worst = [Math.max(...results.map(([gap]) => gap ?? Number.NaN))];
  if (results.some((result) => result.length > 1))
    worst.push(Math.min(...results.map((result) => result[1] ?? 0)));
  return worst;
}

async function recover({ house, system }: Stand): Promise<void> {
  await whenQuiet(house);
  await system.whenReady();
}

async function dieDuringDownload(stand: Stand, line: Line, fate: Fate): Promise<number[]> {
  const { house, target, plain, recorder } = stand;
  const watched = await watchDownload(house.lan, target, (DEATH_MS + AFTERWARDS_MS) / 1000);
  try {
    await watched.at(DEATH_MS);
    const diedMs = watched.nowMs();
    recorder?.mark(`${line.name} dies`);
    await fate.die();
    recorder?.add(await watched.over);
    const end = DEATH_MS + AFTERWARDS_MS;
    const { ms } = longestSilence(watched.samples, diedMs, end);
    // A pause near the end leaves no time to look at, and is not the death's.
    const resumed = longestSilence(watched.samples, diedMs, end - REGAIN_MS - REGAIN_SPAN_MS).endMs;
    const from = resumed + REGAIN_MS;
    const surviving = plain.lines.filter(({ name }) => name !== line.name).map(({ downBps }) => downBps);
    const rate = rateOfSamples(watched.samples, from, from + REGAIN_SPAN_MS);
    return [ms, (Number.isNaN(rate) ? 0 : rate) / sum(surviving)];
  } finally {
    await watched.kill();
    recorder?.mark(`${line.name} is back`);
    await fate.revive();
  }
}

async function dieDuringUpload({ house, target, row, recorder }: Stand, line: Line): Promise<number[]> {
  const fate = silently(line);
  const seconds = (DEATH_MS + AFTERWARDS_MS) / 1000;
  // What the line would have carried is not sent: the rest may be called off without much left in the buffers.
  const lost = (strongLines(row).find(({ name }) => name === line.name)?.up ?? 0) * (AFTERWARDS_MS / 1000);
  const bytes = Math.round((nominalSum(row, "up") * seconds - lost) / 8);
  const upload = start(house.lan, { op: "upload", ...target, bytes, seconds, skipMs: SKIP_MS });
  upload.result.catch(() => {});
  try {
    await sleep(DEATH_MS);
    recorder?.mark(`${line.name} dies`);
    await fate.die();
    const result = await upload.result;
    if (result.error !== null) throw new Error(result.error);
    recorder?.add(result);
    return [result.largestGapMs];
  } finally {
    upload.process.kill("SIGKILL");
    recorder?.mark(`${line.name} is back`);
    await fate.revive();
  }
}

/** The line that counts last goes dark for long, and returns to a flow that has gone on over the others. */
async function returnDuringDownload(stand: Stand): Promise<number[]> {
  const { house, row, target, pace, recorder } = stand;
  const wanted = strongLines(row).at(-1);
  if (wanted === undefined) throw new Error("no line to return");
  const line = house.line(wanted.name);
  const fate = silently(line);
  const backMs = DEATH_MS + pace.darkSeconds * 1000;
  const endMs = backMs + pace.returnSeconds * 1000;
  const watched = await watchDownload(house.lan, target, endMs / 1000);
  try {
    await watched.at(DEATH_MS);
    recorder?.mark(`${line.name} dies`);
    await fate.die();
    await watched.at(backMs);
    const returnedMs = watched.nowMs();
    recorder?.mark(`${line.name} is back`);
    await fate.revive();
    const [carries, used] = await usedAfter(line, wanted.down, endMs - returnedMs - LOOK_MS);
    recorder?.add(await watched.over);
    return [carries, used, longestSilence(watched.samples, returnedMs, endMs).ms];
  } finally {
    await watched.kill();
    await fate.revive();
    await recover(stand);
  }
}

/** Seconds until the line carries the flow again, and at a quarter of its rate; Infinity when not within `limitMs`. */
async function usedAfter(line: Line, rate: number, limitMs: number): Promise<[number, number]> {
  const started = performance.now();
  const elapsed = (): number => performance.now() - started;
  const enough = (rate * USED_SHARE * LOOK_MS * RATE_LOOKS) / 8000;
  const delivered = async (): Promise<number> => (await line.counters()).down.deliveredBytes;
  const counts = [await delivered()];
  let carries = Infinity;
  while (elapsed() < limitMs) {
    await sleep(LOOK_MS);
    const now = await delivered();
    if (now - (counts.at(-1) ?? now) >= FLOW_BYTES) carries = Math.min(carries, elapsed() / 1000);
    if (now - (counts.at(-RATE_LOOKS) ?? now) >= enough) return [carries, elapsed() / 1000];
    counts.push(now);
  }
  return [carries, Infinity];
}
