/** The charts' data: columns of counters over the gateway's uptime, and what is made of them. */

import type { History } from "../node/status/history.ts";
import { type PathStatus, type StatusReport, sessionsOf } from "../node/status/types.ts";

/** As the gateway keeps them. */
const MAX_SAMPLES = 600;

export type Column = (number | null)[];

export interface PathSeries {
  readonly peer: string;
  readonly name: string;
  readonly sentBytes: Column;
  readonly receivedBytes: Column;
  readonly rttMs: Column;
  readonly minRttMs: Column;
}

export interface Series {
  readonly uptimeSeconds: number[];
  readonly paths: PathSeries[];
}

export function seriesOf(history: History): Series {
  return structuredClone(history) as Series;
}

/** Adds what a report says; a report from before the last one is another run's, and begins anew. */
export function appendReport(series: Series, report: StatusReport): Series {
  const { uptimeSeconds } = report;
  const last = series.uptimeSeconds.at(-1);
  if (last !== undefined && uptimeSeconds < last)
    return appendReport({ uptimeSeconds: [], paths: [] }, report);
  // The first report of a stream may be the one that the history ended with.
  if (last !== undefined && uptimeSeconds - last < 0.1) return series;
  const before = series.uptimeSeconds.length;
  series.uptimeSeconds.push(uptimeSeconds);
  for (const session of sessionsOf(report))
    for (const path of session.paths) appendPath(series, session.peer, path, before);
  for (const path of series.paths) {
    for (const column of columnsOf(path)) {
      if (column.length === before) column.push(null);
      column.splice(0, column.length - MAX_SAMPLES);
    }
  }
  series.uptimeSeconds.splice(0, series.uptimeSeconds.length - MAX_SAMPLES);
  return series;
}

function appendPath(series: Series, peer: string, path: PathStatus, before: number): void {
  let found = series.paths.find((known) => known.peer === peer && known.name === path.name);
  if (!found) {
    const empty = (): Column => Array.from({ length: before }, () => null);
    const columns = { sentBytes: empty(), receivedBytes: empty(), rttMs: empty(), minRttMs: empty() };
    found = { peer, name: path.name, ...columns };
    series.paths.push(found);
  }
  found.sentBytes[before] = path.sentBytes;
  found.receivedBytes[before] = path.receivedBytes;
  found.rttMs[before] = path.rttMs;
  found.minRttMs[before] = path.minRttMs;
}

function columnsOf({ sentBytes, receivedBytes, rttMs, minRttMs }: PathSeries): Column[] {
  return [sentBytes, receivedBytes, rttMs, minRttMs];
}

/** Bits per second between each sample and the one before it. */
export function ratesOf(bytes: readonly (number | null)[], uptimeSeconds: readonly number[]): Column {
  return bytes.map((now, i) => {
    const before = bytes[i - 1];
    const elapsed = (uptimeSeconds[i] ?? 0) - (uptimeSeconds[i - 1] ?? 0);
    if (now === null || before === null || before === undefined || elapsed <= 0) return null;
    // A counter that fell began anew.
    return (Math.max(0, now - before) * 8) / elapsed;
  });
}

/** Each column on top of those before it; the last is the sum. */
export function stack(columns: readonly (readonly (number | null)[])[]): Column[] {
  const height: number[] = [];
  return columns.map((column) =>
    column.map((value, i) => {
      height[i] = (height[i] ?? 0) + (value ?? 0);
      return height[i];
    }),
  );
}
