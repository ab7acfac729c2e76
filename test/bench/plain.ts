/** Each line alone, by plain TCP: what everything is compared with. */
import type { House } from "../lab/house.ts";
import { download, firstByte, upload } from "../lab/traffic/run.ts";
import { type Pace, QUIET_S, SKIP_MS } from "./pace.ts";
import { carried, whenQuiet } from "./quiet.ts";
import { type BenchLine, type Row, strongLines } from "./rows.ts";
import { sum } from "./statistics.ts";

/** What of plain TCP a measure compares with. */
export type Need = "down" | "up" | "overhead";

export interface PlainLine {
  readonly name: string;
  readonly downBps: number;
  readonly upBps: number;
  /** Of fresh connections on the idle line, ms: two round trips. */
  readonly firstByteMs: number;
}

export interface Plain {
  readonly lines: readonly PlainLine[];
  readonly sumDown: number;
  readonly sumUp: number;
  readonly bestDown: number;
  readonly bestUp: number;
  /** Of the line where it is shortest. */
  readonly firstByteMs: number;
  readonly rttMs: number;
  /** Bytes of IP on the lines for each byte of a download. */
  readonly bytesPerByte: number;
}

/** How long the download of a known size takes from which the headers are counted. */
export const COUNTED_SECONDS = 4;

/** About how long it takes with so many lines, s. */
export function expectedPlainSeconds(pace: Pace, needs: ReadonlySet<Need>, lines: number): number {
  const transfer = (need: Need, seconds: number): number => (needs.has(need) ? seconds + QUIET_S : 0);
  const { seconds } = pace;
  return (
    lines *
    (QUIET_S + transfer("down", seconds) + transfer("up", seconds) + transfer("overhead", COUNTED_SECONDS))
  );
}

/** Measures the lines that count, one after the other. What is not needed is NaN. */
export async function measurePlain(
  house: House,
  row: Row,
  port: number,
  pace: Pace,
  needs: ReadonlySet<Need>,
): Promise<Plain> {
  const lines: PlainLine[] = [];
  const ratios: number[] = [];
  for (const line of strongLines(row)) {
    const target = { host: house.addresses.direct(house.line(line.name).number).v4, port };
    const { p50 } = await firstByte(house.lan, { ...target, count: pace.idleSamples });
    const downBps = needs.has("down") ? await measureDown(house, target, pace) : Number.NaN;
    const upBps = needs.has("up") ? await measureUp(house, target, line, pace) : Number.NaN;
    if (needs.has("overhead")) ratios.push(await countBytes(house, target, line));
    lines.push({ name: line.name, downBps, upBps, firstByteMs: p50 });
  }
  const firstByteMs = Math.min(...lines.map((line) => line.firstByteMs));
  return {
    lines,
    sumDown: sum(lines.map(({ downBps }) => downBps)),
    sumUp: sum(lines.map(({ upBps }) => upBps)),
    bestDown: Math.max(...lines.map(({ downBps }) => downBps)),
    bestUp: Math.max(...lines.map(({ upBps }) => upBps)),
    firstByteMs,
    rttMs: firstByteMs / 2,
    bytesPerByte: ratios.length === 0 ? Number.NaN : sum(ratios) / ratios.length,
  };
}

type Target = { host: string; port: number };

async function measureDown(house: House, target: Target, { seconds }: Pace): Promise<number> {
  const { goodputBps } = await download(house.lan, { ...target, seconds, skipMs: SKIP_MS });
  await whenQuiet(house);
  return goodputBps;
}

async function measureUp(house: House, target: Target, line: BenchLine, { seconds }: Pace): Promise<number> {
  // No more bytes than the line takes in that time: what a sender leaves in its buffers runs on for long.
  const bytes = Math.round((line.up * seconds) / 8);
  const { goodputBps } = await upload(house.lan, { ...target, bytes, seconds, skipMs: SKIP_MS });
  await whenQuiet(house);
  return goodputBps;
}

async function countBytes(house: House, target: Target, line: BenchLine): Promise<number> {
  const bytes = Math.round((line.down * COUNTED_SECONDS) / 8);
  const before = await carried(house, ["down"]);
  await download(house.lan, { ...target, bytes });
  await whenQuiet(house);
  return ((await carried(house, ["down"])) - before) / bytes;
}
