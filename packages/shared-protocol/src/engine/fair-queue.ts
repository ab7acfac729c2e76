import { QUANTUM } from "./parameters.ts";

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
  readonly #fresh: Entry[] = [];
  readonly #old: Entry[] = [];
  readonly #entries = new Map<number, Entry>();

  /** Streams that are queued, or wait out their pass through the old list. */
  get size(): number {
    return this.#entries.size;
  }

  /** Some stream that `counts` has something to send. */
  isWaiting(counts: (stream: number) => boolean): boolean {
    return firstServed(this.#fresh, counts) !== undefined || firstServed(this.#old, counts) !== undefined;
  }

  /** The stream has something to send. Harmless if it is queued already. */
  enqueue(stream: number): void {
    const known = this.#entries.get(stream);
    if (known) {
      known.waiting = true;
      return;
    }
    const entry = { stream, deficit: QUANTUM, waiting: true };
    this.#entries.set(stream, entry);
    this.#fresh.push(entry);
  }

  /**
   * The first stream in turn that `serves` accepts, among the new and sparse ones only if so asked. It keeps its turn
   * until `charge` has spent its deficit.
   */
  next(serves: (stream: number) => boolean, onlyFresh = false): number | undefined {
    this.#rotate();
    return firstServed(this.#fresh, serves) ?? (onlyFresh ? undefined : firstServed(this.#old, serves));
  }

  /** Brings a stream with deficit left to the head of the old list; those that spent theirs get a new quantum. */
  #rotate(): void {
    for (let head = this.#old[0]; head && (head.deficit <= 0 || !head.waiting); head = this.#old[0]) {
      this.#old.shift();
      if (!head.waiting) {
        this.#entries.delete(head.stream);
        continue;
      }
      head.deficit += QUANTUM;
      this.#old.push(head);
    }
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
    const isFresh = this.#fresh.some((entry) => entry.stream === stream);
    for (const entry of this.#fresh) if (entry.waiting && entry.stream !== stream) yield entry.stream;
    if (isFresh) return;
    for (const entry of this.#old) if (entry.waiting && entry.stream !== stream) yield entry.stream;
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
    if (!takeOut(this.#fresh, entry)) takeOut(this.#old, entry);
  }

  /** Moves a new stream to the old list; false if it is there already. */
  #retire(entry: Entry): boolean {
    if (!takeOut(this.#fresh, entry)) return false;
    this.#old.push(entry);
    return true;
  }
}

function firstServed(list: readonly Entry[], serves: (stream: number) => boolean): number | undefined {
  for (const entry of list) if (entry.waiting && serves(entry.stream)) return entry.stream;
  return undefined;
}

function takeOut(list: Entry[], entry: Entry): boolean {
  const at = list.indexOf(entry);
  if (at < 0) return false;
  list.splice(at, 1);
  return true;
}
