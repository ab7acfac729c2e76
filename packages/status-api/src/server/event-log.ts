/** The log of what happened to paths, sessions and flows: the last events, numbered. */

import { Heaviest, Recent } from "@hawser/gateway-kit";
import { EVENT_TYPES } from "../model/values.ts";
import type { EventSubject, EventType, GatewayEvent } from "../schemas/events.ts";

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
  "peer-file-wrong",
  "session-closed",
  "flows-failed",
  "flows-refused",
]);

/** Events kept, some 200 bytes each. */
const CAPACITY = 1_000;

/**
 * The last events, and how many there were of each type. When the log is full, the peer with the most events loses its
 * oldest: no peer can push out the events of others.
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
