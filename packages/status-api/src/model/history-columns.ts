export const HISTORY_VALUES = [
  "sentBytes",
  "receivedBytes",
  "sendRateBps",
  "receiveRateBps",
  "rttMs",
  "minRttMs",
] as const;
export type HistoryValue = (typeof HISTORY_VALUES)[number];

/** One path's values over time, one for each of the history's times; null while there was no such path. */
export type PathHistory = { readonly peer: string; readonly name: string } & Readonly<
  Record<HistoryValue, readonly (number | null)[]>
>;

/** The last minutes in columns, oldest first, all as the reports had them: a chart shows the rate that a figure showed. */
export interface History {
  /** When the snapshots were taken, by the gateway's uptime. */
  readonly uptimeSeconds: readonly number[];
  readonly paths: readonly PathHistory[];
}
