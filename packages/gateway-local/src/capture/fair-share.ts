/**
 * Shares the room for flows among the sources on the LAN. A source is one address that opens connections. The router's
 * own programs are one source together. With IPv6, too, a source is a single address, not a /64: a /64 is one customer
 * on the Internet but the whole LAN at home. So a device with several addresses has several shares.
 *
 * - While there is room, no source is refused: one source alone may hold fifteen of sixteen parts.
 * - The last part is for sources that hold less than half as much as the source with most flows.
 * - A quarter of all flows may be in dialling. Beyond that, the source with most flows in dialling loses its oldest
 *   one: a destination that does not answer keeps a flow for half a minute, one that answers for a round trip.
 * - A source that finds no room loses its oldest flow in dialling, if that one has had time for a lost SYN. Otherwise
 *   the source is refused.
 */

import type { GreedySource } from "@hawser/status-api/model";

/** The share of the room that is kept for sources with few flows. */
const RESERVED = 1 / 16;
/** The share of the room that flows in dialling may take. */
const DIALLING = 1 / 4;
/** A flow is not displaced before it was dialled for this long, milliseconds: its first SYN may be lost. */
const DIAL_TIME_MS = 3_000;
/** How long a source counts as greedy after its latest refusal, milliseconds. */
const GREEDY_MS = 60_000;

interface Source {
  readonly name: string;
  flows: number;
  /** The source's flows in dialling and when each began, oldest first. */
  readonly dialling: Map<SharedFlow, number>;
  /** How many flows the source was refused or has lost since it last began to be greedy. */
  refused: number;
  refusedAt: number;
  toldAt: number;
}

/** What this file needs to know of a flow. */
export interface SharedFlow {
  readonly source: string;
  /** Ends the flow, because another flow takes its place. The flow's owner then calls `remove`. */
  displace(): void;
}

export interface FairShareOptions {
  /** How many flows there is room for. */
  readonly room: number;
  /** Whether the flows hold so much memory that room is short, however few they are. */
  readonly isMemoryShort: () => boolean;
  /** Called at most once a minute for a source that has flows refused. */
  readonly onGreedy: (greedy: GreedySource) => void;
}

/** Counts the flows of each source, and decides about new ones. `now` is milliseconds of a steady clock. */
export class FairShare {
  readonly room: number;
  readonly #options: FairShareOptions;
  readonly #sources = new Map<string, Source>();
  /** `#withFlows[n]`: how many sources have n flows. `#most`: the greatest such n. */
  readonly #withFlows: number[] = [];
  #most = 0;
  #flows = 0;
  #dialling = 0;
  /** The source that was refused last. It is remembered when its flows have ended, too. */
  #greedy: Source | undefined;

  constructor(options: FairShareOptions) {
    this.#options = options;
    this.room = options.room;
  }

  get flows(): number {
    return this.#flows;
  }

  get dialling(): number {
    return this.#dialling;
  }

  get isFull(): boolean {
    return this.#flows >= this.room;
  }

  /**
   * Whether there is room for one more flow of this source. If not, the source's oldest flow in dialling may make room.
   */
  admit(name: string, now: number): boolean {
    const source = this.#sources.get(name);
    if (this.#hasRoom(source)) return true;
    if (source) this.#noteRefused(source, now);
    return source !== undefined && this.#displaceOldest(source, now);
  }

  #hasRoom(source: Source | undefined): boolean {
    if (this.isFull) return false;
    const isScarce = this.#flows >= this.room * (1 - RESERVED) || this.#options.isMemoryShort();
    return !isScarce || source === undefined || source.flows < this.#most / 2;
  }

  /** Adds an admitted flow, which is in dialling now. */
  add(flow: SharedFlow, now: number): void {
    const source = this.#sources.get(flow.source) ?? newSource(flow.source);
    this.#sources.set(flow.source, source);
    this.#setFlows(source, source.flows + 1);
    source.dialling.set(flow, now);
    this.#dialling++;
    if (this.#dialling > this.room * DIALLING) this.#relieveDialling(now);
  }

  /** The flow's destination was reached. */
  handleOpened(flow: SharedFlow): void {
    if (this.#sources.get(flow.source)?.dialling.delete(flow)) this.#dialling--;
  }

  /** The flow has ended. To be called once for each flow. */
  remove(flow: SharedFlow): void {
    const source = this.#sources.get(flow.source);
    if (!source) return;
    this.handleOpened(flow);
    this.#setFlows(source, source.flows - 1);
    if (source.flows === 0) this.#sources.delete(source.name);
  }

  #setFlows(source: Source, flows: number): void {
    const before = source.flows;
    this.#flows += flows - before;
    source.flows = flows;
    this.#withFlows[before] = Math.max(0, (this.#withFlows[before] ?? 0) - 1);
    this.#withFlows[flows] = (this.#withFlows[flows] ?? 0) + 1;
    this.#most = Math.max(this.#most, flows);
    // The source with most flows has lost one, so the greatest count falls by at most 1.
    if (this.#most > 0 && this.#withFlows[this.#most] === 0) this.#most--;
  }

  // --- flows that are being dialled ---

  #relieveDialling(now: number): void {
    let heaviest: Source | undefined;
    for (const source of this.#sources.values())
      if (source.dialling.size > (heaviest?.dialling.size ?? 0)) heaviest = source;
    if (heaviest && this.#displaceOldest(heaviest, now)) this.#noteRefused(heaviest, now);
  }

  #displaceOldest({ dialling }: Source, now: number): boolean {
    for (const [flow, since] of dialling) {
      if (now - since < DIAL_TIME_MS) return false;
      flow.displace();
      return true;
    }
    return false;
  }

  // --- who is greedy ---

  #noteRefused(source: Source, now: number): void {
    if (now - source.refusedAt >= GREEDY_MS) source.refused = 0;
    source.refused++;
    source.refusedAt = now;
    const known = this.#greedyAt(now);
    if (known && source.flows < known.flows) return;
    this.#greedy = source;
    if (now - source.toldAt < GREEDY_MS) return;
    source.toldAt = now;
    this.#options.onGreedy(describe(source));
  }

  #greedyAt(now: number): Source | undefined {
    return this.#greedy && now - this.#greedy.refusedAt < GREEDY_MS ? this.#greedy : undefined;
  }

  /**
   * Of the sources that had flows refused in the last minute, the one with most flows; undefined when there is none.
   */
  greedy(now: number): GreedySource | undefined {
    const source = this.#greedyAt(now);
    return source && describe(source);
  }
}

function newSource(name: string): Source {
  const never = Number.NEGATIVE_INFINITY;
  return { name, flows: 0, dialling: new Map(), refused: 0, refusedAt: never, toldAt: never };
}

function describe({ name, flows, dialling, refused }: Source): GreedySource {
  return { source: name, flows, dialling: dialling.size, refused };
}
