import type { SessionTotals } from "../../engine/index.ts";
import { formatEndpoint } from "../config/endpoint.ts";
import type { FlowStatus, PathStatus, SessionState, SessionStatus } from "../status/types.ts";
import type { Flow } from "./flow.ts";
import type { SessionDriver } from "./session-driver.ts";

/** One session as `GET /api/status` has it. `before` counts sessions that this one replaced. */
export function sessionStatus(
  peer: string,
  driver: SessionDriver,
  paths: readonly PathStatus[],
  before?: Readonly<SessionTotals>,
): SessionStatus {
  const { totals, streamCount, usedPaths } = driver.session;
  const sum = (key: keyof SessionTotals): number => totals[key] + (before?.[key] ?? 0);
  return {
    peer,
    state: sessionState(paths),
    flows: { open: streamCount, total: sum("flows"), failed: sum("failed") },
    bytes: { sent: sum("sent"), received: sum("received"), reinjected: sum("reinjected") },
    paths: paths.map((path) => ({ ...path, inUse: usedPaths.has(path.name) })),
  };
}

function sessionState(paths: readonly PathStatus[]): SessionState {
  const wanted = paths.filter(({ state }) => state !== "disabled");
  const carrying = wanted.filter(({ state }) => state === "up" || state === "probation");
  if (carrying.length > 0) return carrying.length === wanted.length ? "up" : "degraded";
  return wanted.some(({ state }) => state === "connecting") ? "connecting" : "down";
}

/** How the API names a flow, of its session's short id: stream numbers begin anew with every session. */
export function flowId(session: string, { stream }: Flow): string {
  return `${session}-${stream}`;
}

/** One flow as `GET /api/flows` has it. `sent` is towards the destination, at both ends. */
export function flowStatus(
  flow: Flow,
  driver: SessionDriver,
  side: "local" | "remote",
  peer: string,
  session: string,
): FlowStatus {
  const shares = [...(driver.session.stream(flow.stream)?.shares ?? [])].map(
    ([name, { sent, received }]) => ({
      name,
      sentBytes: side === "local" ? sent : received,
      receivedBytes: side === "local" ? received : sent,
    }),
  );
  return {
    id: flowId(session, flow),
    from: formatEndpoint(flow.request.source),
    to: formatEndpoint(flow.request.destination),
    kind: flow.request.kind,
    peer,
    ageSeconds: (Date.now() - flow.openedAt) / 1_000,
    sentBytes: shares.reduce((sum, share) => sum + share.sentBytes, 0),
    receivedBytes: shares.reduce((sum, share) => sum + share.receivedBytes, 0),
    paths: shares,
  };
}
