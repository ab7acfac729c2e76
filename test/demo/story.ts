/** What the demo does on its stage, whichever that is. */

import type { Recorder } from "../bench/plot/recording.ts";
import type { Target } from "../lab/traffic/dial.ts";
import { start } from "../lab/traffic/run.ts";
import type { Screen } from "../progress/screen.ts";
import { RecentRate, stepLine } from "./progress.ts";
import { LINES, type Stage } from "./stage.ts";
import { LocalStatus } from "./status.ts";
import type { LineOutcome, Outcome } from "./table.ts";

/** Long enough for a rate that comes out the same the next time. */
const PLAIN_SECONDS = 4;
const ALONE_SECONDS = 6;
const BOTH_SECONDS = 8;
/** TCP and the gateways find the lines' rates in the first second; it is left out everywhere. */
const SKIP_MS = 1000;
const PROGRESS_MS = 100;
/** The rate that fills a bar: all that the lines can carry. */
const FULL_BPS = LINES.reduce((sum, { down }) => sum + down, 0);

/** Where the story is told: the stage, and who draws and records it. */
export interface Telling {
  readonly stage: Stage;
  readonly screen: Screen;
  readonly recorder: Recorder;
}

/** Downloads over each line without Hawser, over each alone with it, and over both. */
export async function tell(telling: Telling): Promise<Outcome> {
  const { stage } = telling;
  const plain: number[] = [];
  for (const [index, { name }] of LINES.entries()) {
    const target = stage.plain[index] as Target;
    plain.push(await measure(telling, `${name}, plain TCP`, target, PLAIN_SECONDS));
  }
  const status = new LocalStatus(stage.dashboards.local);
  const alone: number[] = [];
  for (const { name } of LINES) {
    await status.useOnly([name]);
    alone.push(await measure(telling, `${name}, through Hawser`, stage.through, ALONE_SECONDS));
  }
  await status.useOnly(LINES.map(({ name }) => name));
  const { bothBps, shares } = await measureBoth(telling, status);
  const lines = LINES.map(
    ({ name }, index): LineOutcome => ({
      name,
      aloneBps: alone[index] ?? 0,
      plainBps: plain[index] ?? 0,
      share: shares[index] ?? 0,
    }),
  );
  return { lines, bothBps };
}

async function measureBoth(
  telling: Telling,
  status: LocalStatus,
): Promise<{ bothBps: number; shares: number[] }> {
  const received = async (): Promise<number[]> =>
    (await status.paths()).map(({ receivedBytes }) => receivedBytes);
  const before = await received();
  const bothBps = await measure(telling, "both, through Hawser", telling.stage.through, BOTH_SECONDS);
  const gained = (await received()).map((bytes, index) => bytes - (before[index] ?? 0));
  const total = gained.reduce((sum, bytes) => sum + bytes, 0);
  return { bothBps, shares: gained.map((bytes) => bytes / total) };
}

/** One download of so many seconds, drawn while it runs. Its goodput, bit/s. */
async function measure(
  { stage: { client }, screen, recorder }: Telling,
  title: string,
  target: Target,
  seconds: number,
): Promise<number> {
  const recent = new RecentRate();
  const task = { op: "download", ...target, seconds, skipMs: SKIP_MS, progressMs: PROGRESS_MS } as const;
  const line = (bps: number, overMs: number, leftMs?: number): string =>
    stepLine({
      title,
      bps,
      carried: recorder.rates(overMs),
      fullBps: FULL_BPS,
      ...(leftMs === undefined ? {} : { leftMs }),
    });
  const startedMs = recorder.nowMs;
  screen.draw(line(0, 0, seconds * 1000));
  const { result } = start(client, task, ({ ms, bytes }) =>
    screen.draw(line(recent.add(ms, bytes), Math.min(ms, 1000), seconds * 1000 - ms)),
  );
  const transfer = await result;
  const { goodputBps, error } = transfer;
  if (error !== null) throw new Error(`${title}: the download failed: ${error}`);
  screen.finish(line(goodputBps, seconds * 1000 - SKIP_MS));
  recorder.add(transfer);
  recorder.mark(`${title}: ${(goodputBps / 1e6).toFixed(1)} Mbit/s`, startedMs);
  return goodputBps;
}
