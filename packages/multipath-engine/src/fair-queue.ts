import { QUANTUM, REFUSALS } from "./parameters.ts";

/** What the fair queue keeps for a stream. */
interface Entry {
  readonly stream: number;
  deficit: number;
  /** False for a stream with nothing to send that still waits out its pass through the old list. */
  waiting: boolean;
}

/**
 * Whose turn it is among the streams that have something to send: deficit round robin with new and sparse streams
 * first, as FQ-CoDel does for flows (RFC 8290, section 4.1). A new stream that runs dry passes through the old list
 * before it can be new again, so that it cannot jump the queue for ever.
 */
export class FairQueue {
  /** Both in the order of their turns. */
  readonly #fresh = new Set<Entry>();
  readonly #old = new Set<Entry>();
  readonly #entries = new Map<number, Entry>();

  /** Streams that are queued, or wait out their pass through the old list. */
  get size(): number {
    return this.#entries.size;
  }

  /** Some stream that `counts` has something to send. */
  isWaiting(counts: (stream: number) => boolean): boolean {
    for (const { stream, waiting } of this.#entries.values()) if (waiting && counts(stream)) return true;
    return false;
  }

  /** The stream has something to send. Harmless if it is queued already. Returns whether it comes new beside others. */
  enqueue(stream: number): boolean {
    const known = this.#entries.get(stream);
    if (known) {
      known.waiting = true;
      return false;
    }
    const entry = { stream, deficit: QUANTUM, waiting: true };
    this.#entries.set(stream, entry);
    this.#fresh.add(entry);
    return this.#entries.size > 1;
  }

  /**
   * The first stream in turn that `serves` accepts, among the new and sparse ones only if so asked. It keeps its turn
   * until `charge` has spent its deficit. After REFUSALS of them it asks no more.
   */
  next(serves: (stream: number) => boolean, onlyFresh = false): number | undefined {
    let refusals = 0;
    for (const { stream, waiting } of this.#fresh) {
      if (!waiting) continue;
      if (serves(stream)) return stream;
      if (++refusals === REFUSALS) return undefined;
    }
    if (onlyFresh) return undefined;
    for (const entry of this.#old) {
      if (this.#passes(entry)) continue;
      if (serves(entry.stream)) return entry.stream;
      if (++refusals === REFUSALS) return undefined;
    }
    return undefined;
  }

  /** Whether it is not the turn of this old stream: it spent its deficit, gets a new one and goes to the end; or is gone. */
  #passes(entry: Entry): boolean {
    if (entry.waiting && entry.deficit > 0) return false;
    if (entry.waiting && this.#entries.size === 1) {
      // Alone it owes nothing to anybody.
      entry.deficit = QUANTUM;
      return false;
    }
    this.#old.delete(entry);
    if (entry.waiting) {
      entry.deficit += QUANTUM;
      this.#old.add(entry);
    } else {
      this.#entries.delete(entry.stream);
    }
    return true;
  }

  /** `bytes` of the stream were sent. One served out of turn (the head was not for that line) pays all the same. */
  charge(stream: number, bytes: number): void {
    const entry = this.#entries.get(stream);
    if (!entry) return;
    entry.deficit -= bytes;
    if (entry.deficit <= 0) this.#retire(entry);
  }

  /** The streams that are served before `stream` is served twice; a new one has only new ones before it. */
  *rivals(stream: number): IterableIterator<number> {
    for (const entry of this.#fresh) if (entry.waiting && entry.stream !== stream) yield entry.stream;
    if (this.#isFresh(stream)) return;
    for (const entry of this.#old) if (entry.waiting && entry.stream !== stream) yield entry.stream;
  }

  /** About how many these are: some have nothing to send just now. */
  rivalCount(stream: number): number {
    return this.#isFresh(stream) ? this.#fresh.size : this.size;
  }

  #isFresh(stream: number): boolean {
    const entry = this.#entries.get(stream);
    return entry !== undefined && this.#fresh.has(entry);
  }

  /** The stream has nothing to send at the moment. */
  idle(stream: number): void {
    const entry = this.#entries.get(stream);
    if (!entry) return;
    entry.waiting = false;
    if (!this.#retire(entry)) this.remove(stream);
  }

  /** The stream is over. */
  remove(stream: number): void {
    const entry = this.#entries.get(stream);
    if (!entry) return;
    this.#entries.delete(stream);
    this.#fresh.delete(entry);
    this.#old.delete(entry);
  }

  /** Moves a new stream to the old list; false if it is there already. */
  #retire(entry: Entry): boolean {
    if (!this.#fresh.delete(entry)) return false;
    this.#old.add(entry);
    return true;
  }
}
