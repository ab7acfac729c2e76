/** `hawser-remote peers`: lists the admitted peers, and says which of them are connected. */

import { carries, printable, type RemoteStatusReport } from "@hawser/status-api/model";

export interface PeerPresence {
  readonly name: string;
  /** Null when no gateway runs, so that nobody knows. */
  readonly connected: boolean | null;
  /** How many of the home's lines carry data. */
  readonly linesUp?: number;
  readonly lines?: number;
}

/** Adds to each name what the running gateway's report says of it; undefined when no gateway runs. */
export function withPresence(
  names: readonly string[],
  report: RemoteStatusReport | undefined,
): PeerPresence[] {
  return names.map((name) => {
    if (!report) return { name, connected: null };
    const paths = report.sessions.flatMap((session) => (session.peer === name ? session.paths : []));
    const linesUp = paths.filter(carries).length;
    return { name, connected: linesUp > 0, linesUp, lines: paths.length };
  });
}

/** One line of text for each peer. */
export function renderPeers(peers: readonly PeerPresence[]): string {
  const width = Math.max(0, ...peers.map(({ name }) => name.length));
  const rows = peers.map(({ name, connected, linesUp, lines }) => {
    const state = connected ? `connected, ${linesUp} of ${lines} lines up` : "not connected";
    return connected === null ? printable(name) : `${printable(name).padEnd(width)}  ${state}`;
  });
  return rows.map((row) => `${row}\n`).join("");
}
