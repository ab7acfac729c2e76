import { RangeSet } from "./ranges.ts";
import { Run } from "./run.ts";

/**
 * One direction of a stream at its receiver: bytes come in any order and possibly twice, and leave once, in order.
 * Holds references to the pieces given, and copies of small ones; what it may hold is bounded by credit and by the number
 * of early runs, which the caller checks.
 */
export class ReorderBuffer {
  /** Early bytes, sorted by start, not overlapping. */
  readonly #early: Run[] = [];
  readonly #received = new RangeSet();
  #ready: Run[] = [];
  #frontier = 0;
  #readyBytes = 0;
  #earlyBytes = 0;

  /** Offset of the first byte that has not come. */
  get frontier(): number {
    return this.#frontier;
  }

  /** Bytes that came and were not taken. */
  get held(): number {
    return this.#readyBytes + this.#earlyBytes;
  }

  /** Bytes that wait for earlier ones. */
  get early(): number {
    return this.#earlyBytes;
  }

  /** In how many runs these lie. */
  get earlyRuns(): number {
    return this.#early.length;
  }

  /** Returns how many of the bytes are new. */
  insert(offset: number, bytes: Uint8Array): number {
    const end = offset + bytes.length;
    if (end <= this.#frontier) return 0;
    let fresh = 0;
    if (offset <= this.#frontier) fresh = this.#insertInOrder(offset, bytes);
    if (end > this.#frontier) fresh += this.#insertEarly(offset, bytes);
    return fresh;
  }

  /** Bytes that continue what has come, up to the first that came early; these may follow at once. */
  #insertInOrder(offset: number, bytes: Uint8Array): number {
    const stop = Math.min(offset + bytes.length, this.#early[0]?.start ?? Number.POSITIVE_INFINITY);
    const fresh = stop - this.#frontier;
    this.#deliver(fresh === bytes.length ? bytes : bytes.subarray(this.#frontier - offset, stop - offset));
    if (this.#early.length > 0) this.#release();
    return fresh;
  }

  #insertEarly(offset: number, bytes: Uint8Array): number {
    const from = Math.max(offset, this.#frontier);
    const end = offset + bytes.length;
    let fresh = 0;
    for (const gap of this.#received.gaps(from, end)) {
      this.#hold(gap.start, bytes.subarray(gap.start - offset, gap.end - offset));
      fresh += gap.end - gap.start;
    }
    if (fresh === 0) return 0;
    this.#received.add(from, end);
    // What overlapped the frontier was cut at the first early piece, and goes on behind it.
    this.#release();
    return fresh;
  }

  #hold(start: number, bytes: Uint8Array): void {
    this.#earlyBytes += bytes.length;
    const at = this.#firstFrom(start);
    const before = this.#early[at - 1];
    if (before?.end === start && before.append(bytes)) return;
    this.#early.splice(at, 0, new Run(start, bytes));
  }

  /** Place of the first early run that starts at `offset` or later. */
  #firstFrom(offset: number): number {
    let low = 0;
    let high = this.#early.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#early[middle] as Run).start >= offset) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #release(): void {
    let count = 0;
    for (const run of this.#early) {
      if (run.start !== this.#frontier) break;
      this.#earlyBytes -= run.end - run.start;
      this.#deliver(run.bytes);
      count++;
    }
    if (count === 0) return;
    this.#early.splice(0, count);
    this.#received.advance(this.#frontier);
  }

  #deliver(bytes: Uint8Array): void {
    if (!this.#ready.at(-1)?.append(bytes)) this.#ready.push(new Run(this.#frontier, bytes));
    this.#readyBytes += bytes.length;
    this.#frontier += bytes.length;
  }

  /** Nothing is wanted any more. */
  discard(): void {
    this.#early.length = 0;
    this.#ready = [];
    this.#received.remove(0, Number.MAX_SAFE_INTEGER);
    this.#readyBytes = 0;
    this.#earlyBytes = 0;
  }

  /** The pieces that are in order and were not taken yet. */
  take(): Uint8Array[] {
    const ready = this.#ready.map((run) => run.bytes);
    this.#ready = [];
    this.#readyBytes = 0;
    return ready;
  }
}
