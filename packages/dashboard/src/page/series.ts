/** The charts' data: columns of the reports' values over the gateway's uptime. */

import type { History } from "@hawser/status-api/model";
import { type PathStatus, type StatusReport, sessionsOf } from "@hawser/status-api/model";

/** As the gateway keeps them. */
const MAX_SAMPLES = 600;

export type Column = (number | null)[];

const DRAWN = ["sendRateBps", "receiveRateBps", "rttMs", "minRttMs"] as const;
type Columns = Record<(typeof DRAWN)[number], Column>;

export interface PathSeries extends Readonly<Columns> {
  readonly peer: string;
  readonly name: string;
}

export interface Series {
  readonly uptimeSeconds: number[];
  readonly paths: PathSeries[];
}

export function seriesOf({ uptimeSeconds, paths }: History): Series {
  return {
    uptimeSeconds: [...uptimeSeconds],
    paths: paths.map((path) => ({ peer: path.peer, name: path.name, ...columns((key) => [...path[key]]) })),
  };
}

/** Adds what a report says; a report from before the last one is another run's, and begins anew. */
export function appendReport(series: Series, report: StatusReport): Series {
  const { uptimeSeconds } = report;
  const last = series.uptimeSeconds.at(-1);
  if (last !== undefined && uptimeSeconds < last)
    return appendReport({ uptimeSeconds: [], paths: [] }, report);
  // The first report may be the one that the history ended with. It takes that one's place: the page shows its figures.
  if (last !== undefined && uptimeSeconds - last < 0.1) dropLast(series);
  const before = series.uptimeSeconds.length;
  series.uptimeSeconds.push(uptimeSeconds);
  for (const session of sessionsOf(report))
    for (const path of session.paths) appendPath(series, session.peer, path, before);
  for (const path of series.paths) {
    for (const key of DRAWN) {
      const column = path[key];
      if (column.length === before) column.push(null);
      column.splice(0, column.length - MAX_SAMPLES);
    }
  }
  series.uptimeSeconds.splice(0, series.uptimeSeconds.length - MAX_SAMPLES);
  return series;
}

function dropLast({ uptimeSeconds, paths }: Series): void {
  uptimeSeconds.pop();
  for (const path of paths) for (const key of DRAWN) path[key].pop();
}

function appendPath(series: Series, peer: string, path: PathStatus, before: number): void {
  let found = series.paths.find((known) => known.peer === peer && known.name === path.name);
  if (!found) {
    found = { peer, name: path.name, ...columns(() => Array.from({ length: before }, () => null)) };
    series.paths.push(found);
  }
  for (const key of DRAWN) found[key][before] = path[key];
}

function columns(columnOf: (key: keyof Columns) => Column): Columns {
  return Object.fromEntries(DRAWN.map((key) => [key, columnOf(key)])) as Columns;
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
