/** What happened to lines, sessions and flows, for people and their tools: the last events, numbered. */

import { Heaviest } from "../limits/heaviest.ts";
import { type Numbered, Recent } from "../recent.ts";

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

const TROUBLE: ReadonlySet<EventType> = new Set([
  "path-suspect",
  "path-down",
  "path-resting",
  "quota-warned",
  "quota-reached",
  "subflow-lost",
  "peer-unreachable",
  "egress-lost",
  "capture-blocked",
  "rules-lost",
  "rules-given-up",
  "reload-failed",
  "session-closed",
  "flows-failed",
  "flows-refused",
]);

export interface EventSubject {
  /** The session's peer. */
  readonly peer?: string;
  readonly path?: string;
}

export interface GatewayEvent extends EventSubject, Numbered {
  /** ISO 8601, UTC. */
  readonly time: string;
  readonly type: EventType;
  readonly level: "info" | "warn";
  /** For people. */
  readonly message: string;
}

/** Events kept, some 200 bytes each. */
const CAPACITY = 1_000;

/**
 * The last events, and how many there were of each type. The peer with most events makes room for new ones, so that none
 * can push the others' history out.
 */
export class EventLog extends Recent<GatewayEvent> {
  readonly #perPeer = new Heaviest();
  readonly #counts = new Map<EventType, number>(EVENT_TYPES.map((type) => [type, 0]));

  constructor(capacity = CAPACITY) {
    super(capacity);
  }

  /** How many of each type there were since the start. */
  get counts(): ReadonlyMap<EventType, number> {
    return this.#counts;
  }

  add(type: EventType, message: string, about: EventSubject = {}): void {
    const level = TROUBLE.has(type) ? "warn" : "info";
    this.#counts.set(type, (this.#counts.get(type) ?? 0) + 1);
    this.#perPeer.add(about.peer ?? "");
    this.push((id) => ({ id, time: new Date().toISOString(), type, level, ...about, message }));
  }

  protected override indexOfSurplus(kept: readonly GatewayEvent[]): number {
    const heaviest = this.#perPeer.key ?? "";
    this.#perPeer.remove(heaviest);
    return Math.max(
      0,
      kept.findIndex(({ peer = "" }) => peer === heaviest),
    );
  }
}
