/** `hawser-remote peers`: who is admitted, and who of them is connected. */

import { carries, printable, type RemoteStatusReport } from "@hawser/status-api/model";

export interface PeerPresence {
  readonly name: string;
  /** Null when no gateway runs that could know. */
  readonly connected: boolean | null;
  /** Lines that carry data, of those that the home has told of. */
  readonly linesUp?: number;
  readonly lines?: number;
}

/** `report`: what the running gateway says, if one runs. */
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

/** A line for each. */
export function renderPeers(peers: readonly PeerPresence[]): string {
  const width = Math.max(0, ...peers.map(({ name }) => name.length));
  const rows = peers.map(({ name, connected, linesUp, lines }) => {
    const state = connected ? `connected, ${linesUp} of ${lines} lines up` : "not connected";
    return connected === null ? printable(name) : `${printable(name).padEnd(width)}  ${state}`;
  });
  return rows.map((row) => `${row}\n`).join("");
}
