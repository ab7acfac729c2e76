/** What happened to lines, sessions and flows, for people and their tools: the last events, numbered. */

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
 * several connections of a path that goes on; `quota-warned`: 80 % of a path's quota are used; `peer-unreachable`: no path to the other gateway is left; `flows-refused`: limits or memory left no room for them.
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
  "session-closed",
  "flows-failed",
  "flows-refused",
]);

export interface EventSubject {
  /** The session's peer. */
  readonly peer?: string;
  readonly path?: string;
}

export interface GatewayEvent extends EventSubject {
  /** Grows by one from event to event, and jumps upwards when the gateway is restarted. */
  readonly id: number;
  /** ISO 8601, UTC. */
  readonly time: string;
  readonly type: EventType;
  readonly level: "info" | "warn";
  /** For people. */
  readonly message: string;
}

/** Events kept, some 200 bytes each. */
const CAPACITY = 1_000;
/** Room for the ids of each second of the gateway's life: those of the next run are above those of this one. */
const IDS_PER_SECOND = 1_000_000;

/** A bounded log: the oldest events make room for new ones. */
export class EventLog {
  readonly #capacity: number;
  readonly #events: GatewayEvent[] = [];
  readonly #listeners = new Set<(event: GatewayEvent) => void>();
  readonly #counts = new Map<EventType, number>(EVENT_TYPES.map((type) => [type, 0]));
  #nextId = Math.floor(Date.now() / 1_000) * IDS_PER_SECOND;

  constructor(capacity = CAPACITY) {
    this.#capacity = capacity;
  }

  /** How many of each type there were since the start. */
  get counts(): ReadonlyMap<EventType, number> {
    return this.#counts;
  }

  add(type: EventType, message: string, about: EventSubject = {}): void {
    const level = TROUBLE.has(type) ? "warn" : "info";
    const event = {
      id: this.#nextId++,
      time: new Date().toISOString(),
      type,
      level,
      ...about,
      message,
    } as const;
    this.#events.push(event);
    if (this.#events.length > this.#capacity) this.#events.shift();
    this.#counts.set(type, (this.#counts.get(type) ?? 0) + 1);
    for (const listener of this.#listeners) listener(event);
  }

  /** The events after `id` that are still known, oldest first. An id from the future is another clock's: all of them. */
  since(id = 0): readonly GatewayEvent[] {
    return this.#events.filter((event) => event.id > id || id >= this.#nextId);
  }

  /** Calls `listener` with every event from now on; the result ends that. */
  subscribe(listener: (event: GatewayEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
