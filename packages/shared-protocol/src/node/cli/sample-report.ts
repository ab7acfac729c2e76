/** A report of a local gateway, for tests. */

import type { LocalStatusReport, PathStatus } from "../status/types.ts";

export function samplePath(change: Partial<PathStatus> = {}): PathStatus {
  return {
    name: "adsl1",
    state: "up",
    reason: "carries data",
    role: "active",
    roleSince: "2026-01-02T03:04:05.000Z",
    roleReason: "configured",
    subflows: 1,
    rttMs: 23.4,
    minRttMs: 18,
    sendRateBps: 785_000,
    receiveRateBps: 8_400_000,
    unackedBytes: 0,
    sentBytes: 100_000_000,
    receivedBytes: 900_000_000,
    reinjectedBytes: 0,
    lastError: null,
    since: "2026-01-02T03:04:05.000Z",
    ...change,
  };
}

export function sampleReport({ peer = "home", paths = [samplePath()] } = {}): LocalStatusReport {
  const flows = { open: 3, total: 340, failed: 2 };
  const bytes = { sent: 1_200_000_000, received: 8_400_000_000, reinjected: 3_100_000 };
  const session = { peer, state: "up", flows, bytes, paths } as const;
  return { role: "local", version: "0.1.0", uptimeSeconds: 11_530, session };
}
