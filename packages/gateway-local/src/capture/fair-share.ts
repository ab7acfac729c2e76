/**
 * How the sources on the LAN share the flows that there is room for. A source is one address that opens connections; the
 * router's own programs are one, too. Of IPv6 it is not the /64, as it is for strangers from the Internet: there that is
 * one customer's, here it is the whole LAN. So a device that takes several addresses has several shares.
 *
 * - While there is room, everybody has what he asks for: one source alone may hold fifteen of sixteen parts.
 * - The last part is for those who hold less than half as much as whoever holds most.
 * - Of flows that are being dialled, a quarter of all may wait. Beyond it the source with most loses its oldest one: a
 *   destination that does not answer keeps a flow for half a minute, one that does for a round trip.
 * - A source that finds no room loses its oldest flow that is being dialled, rather than be refused.
 */

import type { GreedySource } from "@hawser/status-api/model";

/** Share of the room that is only for those who hold little. */
const RESERVED = 1 / 16;
/** Share of the room that flows may take while they are being dialled. */
const DIALLING = 1 / 4;
/** No flow has to go before it was dialled for so long, milliseconds: a first SYN may be lost. */
const DIAL_TIME_MS = 3_000;
/** So long a source counts as greedy after a flow of its was refused for that, milliseconds. */
const GREEDY_MS = 60_000;

interface Source {
  readonly name: string;
  flows: number;
  /** When they began, oldest first. */
  readonly dialling: Map<SharedFlow, number>;
  /** Flows that it did not get, or lost, since it last was not greedy. */
  refused: number;
  refusedAt: number;
  toldAt: number;
}

/** A flow, as far as it is shared. */
export interface SharedFlow {
  readonly source: string;
  /** Another flow takes its place. `over` follows. */
  displace(): void;
}

export interface FairShareOptions {
  /** How many flows there is room for. */
  readonly room: number;
  /** Room is short whatever the number: what flows hold fills the memory. */
  readonly isMemoryShort: () => boolean;
  /** A source has flows refused; told of once a minute. */
  readonly onGreedy: (greedy: GreedySource) => void;
}

/** Counts the flows of each source, and judges new ones. `now` is milliseconds of a steady clock. */
export class FairShare {
  readonly room: number;
  readonly #options: FairShareOptions;
  readonly #sources = new Map<string, Source>();
  /** How many sources have so many flows; and the most that one has. */
  readonly #withFlows: number[] = [];
  #most = 0;
  #flows = 0;
  #dialling = 0;
  /** The last source that was refused, also when its flows are over. */
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

  /** Nobody finds room. */
  get isFull(): boolean {
    return this.#flows >= this.room;
  }

  /** Whether there is room for one more flow of this source, if need be that of one which it has dialled in vain. */
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

  /** A flow that was admitted begins to be dialled. */
  add(flow: SharedFlow, now: number): void {
    const source = this.#sources.get(flow.source) ?? newSource(flow.source);
    this.#sources.set(flow.source, source);
    this.#setFlows(source, source.flows + 1);
    source.dialling.set(flow, now);
    this.#dialling++;
    if (this.#dialling > this.room * DIALLING) this.#relieveDialling(now);
  }

  /** Its destination was reached. */
  handleOpened(flow: SharedFlow): void {
    if (this.#sources.get(flow.source)?.dialling.delete(flow)) this.#dialling--;
  }

  /** It is over. Called once. */
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
    // Who held most has one flow less now, so nobody is further down.
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

  /** Of the sources that had flows refused within a minute for the others' sake, the one with most; undefined: none had. */
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
