import type { House } from "./house.ts";
import { download, firstByte, upload } from "./traffic/run.ts";

/** Measurements of plain TCP over one line alone, without any gateway. */
export interface DirectBaseline {
  line: string;
  downBps: number;
  upBps: number;
  /** Median and 99th percentile of the first byte of a fresh connection on the idle line, ms. */
  firstByteMs: { p50: number; p99: number };
}

export interface BaselineOptions {
  /** The length of each transfer, seconds. */
  seconds?: number;
  /** How much of each transfer's beginning is left out, milliseconds. */
  skipMs?: number;
  /** How many fresh connections are made for the first byte. */
  connections?: number;
  family?: "v4" | "v6";
  directions?: readonly ("down" | "up")[];
  /** The names of the lines to measure; none: all. */
  lines?: readonly string[];
}

/**
 * Measures each line alone, one after the other, with TCP from the LAN's client to the address of the origin that is
 * routed over that line. The origin's server must be running.
 */
export async function measureLines(
  house: House,
  port: number,
  options: BaselineOptions = {},
): Promise<DirectBaseline[]> {
  const { seconds = 6, skipMs = 1000, connections = 10, family = "v4" } = options;
  const directions = options.directions ?? ["down", "up"];
  const results: DirectBaseline[] = [];
  for (const line of house.lines.filter(({ name }) => options.lines?.includes(name) ?? true)) {
    const target = { host: house.addresses.direct(line.number)[family], port };
    const { p50, p99 } = await firstByte(house.lan, { ...target, count: connections });
    const timed = { ...target, seconds, skipMs };
    const downBps = directions.includes("down") ? (await download(house.lan, timed)).goodputBps : Number.NaN;
    const upBps = directions.includes("up") ? (await upload(house.lan, timed)).goodputBps : Number.NaN;
    results.push({ line: line.name, downBps, upBps, firstByteMs: { p50, p99 } });
  }
  return results;
}
