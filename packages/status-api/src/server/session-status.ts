import type { Flow, FlowSet, SessionDriver } from "@hawser/gateway-kit";
import type { SessionTotals } from "@hawser/multipath-engine";
import { formatEndpoint } from "@hawser/shared-protocol";
import { carries } from "../model/report.ts";
import type { FlowStatus } from "../schemas/flows.ts";
import type { PathStatus, SessionState, SessionStatus } from "../schemas/status.ts";

/** One session of `GET /api/status`. `before` has the totals of earlier sessions with the same peer. */
export function sessionStatus(
  peer: string,
  driver: SessionDriver,
  flows: FlowSet,
  paths: readonly PathStatus[],
  before?: Readonly<SessionTotals>,
): SessionStatus {
  const { totals, usedPaths } = driver.session;
  const sum = (key: keyof SessionTotals): number => totals[key] + (before?.[key] ?? 0);
  return {
    peer,
    state: sessionState(paths),
    flows: { open: flows.size, total: sum("flows"), failed: sum("failed") },
    bytes: { sent: sum("sent"), received: sum("received"), reinjected: sum("reinjected") },
    egress: driver.session.egress ?? null,
    paths: paths.map((path) => withUse(path, usedPaths.has(path.name))),
  };
}

/** A resting path is used when there is no other: then it does not rest. */
function withUse(path: PathStatus, inUse: boolean): PathStatus {
  return { ...path, inUse, restsUntil: inUse ? null : (path.restsUntil ?? null) };
}

function sessionState(paths: readonly PathStatus[]): SessionState {
  const wanted = paths.filter(({ state }) => state !== "disabled");
  const carrying = wanted.filter(carries);
  if (carrying.length > 0) return carrying.length === wanted.length ? "up" : "degraded";
  return wanted.some(({ state }) => state === "connecting") ? "connecting" : "down";
}

/** One flow of `GET /api/flows`. What is sent goes to the destination, at both gateways. */
export function flowStatus(flow: Flow, side: "local" | "remote", peer: string): FlowStatus {
  const shares = [...flow.shares].map(([name, { sent, received }]) => ({
    name,
    sentBytes: side === "local" ? sent : received,
    receivedBytes: side === "local" ? received : sent,
  }));
  return {
    id: flow.id,
    from: formatEndpoint(flow.request.source),
    to: formatEndpoint(flow.request.destination),
    kind: flow.request.kind,
    peer,
    ageSeconds: (performance.now() - flow.openedAt) / 1_000,
    sentBytes: shares.reduce((sum, share) => sum + share.sentBytes, 0),
    receivedBytes: shares.reduce((sum, share) => sum + share.receivedBytes, 0),
    paths: shares,
  };
}
