/** What may happen to lines, sessions and flows. */

import type { Numbered } from "@hawser/gateway-kit";

export const EVENT_TYPES = [
  "path-up",
  "path-back",
  "path-suspect",
  "path-down",
  "path-role",
  "path-in-use",
  "path-idle",
  "path-resting",
  "path-tried",
  "quota-warned",
  "quota-reached",
  "quota-reset",
  "subflow-lost",
  "peer-unreachable",
  "peer-reachable",
  "egress-lost",
  "egress-back",
  "capture-blocked",
  "capture-back",
  "rules-lost",
  "rules-restored",
  "rules-given-up",
  "reloaded",
  "reload-failed",
  "session-opened",
  "session-closed",
  "flows-failed",
  "flows-refused",
  "flow-cut",
] as const;
/**
 * `path-back`: it carries data again; `path-suspect`: it makes no progress and gets no new data; `path-in-use`,
 * `path-idle`: an overflow or backup path begins or ends to carry what this gateway sends; `path-resting`:
 * it held up more than it carried, and is left out for a while; `path-tried`: and used again; `subflow-lost`: one of
 * several connections of a path that goes on; `quota-warned`: 80 % of a path's quota are used; `egress-lost`, `egress-back`: the remote gateway has no way out by an address
 * family, or has one again; `capture-blocked`, `capture-back`: the LAN's connections are redirected and do not arrive, or
 * do so again; `rules-lost`: another program has changed the redirect rules; `rules-given-up`: and goes on doing so;
 * `peer-unreachable`: no path to the other gateway is left; `flows-refused`: limits or memory left no room for them.
 */
export type EventType = (typeof EVENT_TYPES)[number];

export interface EventSubject {
  /** The session's peer. */
  readonly peer?: string;
  readonly path?: string;
}

/** One event of a gateway. */
export interface GatewayEvent extends EventSubject, Numbered {
  /** ISO 8601, UTC. */
  readonly time: string;
  readonly type: EventType;
  readonly level: "info" | "warn";
  /** For people. */
  readonly message: string;
}
