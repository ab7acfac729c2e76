import type { PathRecord } from "@hawser/gateway-kit";
import type { PathStatus } from "../schemas/status.ts";

/** What the record of a path says of it, as `GET /api/status` has it. */
export function pathStatus(path: PathRecord): PathStatus {
  path.noteState();
  const { roundTrip, rates, frameBytes } = path;
  return {
    name: path.name,
    state: path.state,
    reason: path.reason,
    role: path.role,
    roleSince: path.roleSince.toISOString(),
    roleReason: path.roleReason,
    restsUntil: path.restsUntil?.toISOString() ?? null,
    subflows: path.subflows,
    rttMs: roundTrip ? round(roundTrip.now) : null,
    minRttMs: roundTrip ? round(roundTrip.least) : null,
    sendRateBps: rates.sendBps,
    receiveRateBps: rates.receiveBps,
    unackedBytes: path.unackedBytes,
    sentBytes: frameBytes.sent,
    receivedBytes: frameBytes.received,
    reinjectedBytes: frameBytes.reinjected,
    lastError: path.lastError ?? null,
    since: path.since.toISOString(),
  };
}

function round(milliseconds: number): number {
  return Math.round(milliseconds * 100) / 100;
}
