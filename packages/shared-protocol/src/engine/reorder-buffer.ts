import { RangeSet } from "./ranges.ts";

interface Piece {
  readonly start: number;
  readonly bytes: Uint8Array;
}

/** A piece that pins a buffer more than this many times its size is copied when it has to wait. */
const PIN_FACTOR = 4;

/**
 * One direction of a stream at its receiver: bytes come in any order and possibly twice, and leave once, in order.
 * Holds references to the pieces given; what it may hold is bounded by credit, which the caller checks.
 */
export class ReorderBuffer {
  /** Early pieces, sorted by start, not overlapping. */
  readonly #early: Piece[] = [];
  readonly #received = new RangeSet();
  #ready: Uint8Array[] = [];
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
    let fresh = 0;
    for (const gap of this.#received.gaps(Math.max(offset, this.#frontier), offset + bytes.length)) {
      this.#hold(gap.start, bytes.subarray(gap.start - offset, gap.end - offset));
      fresh += gap.end - gap.start;
    }
    // What overlapped the frontier was cut at the first early piece, and goes on behind it.
    if (fresh > 0) this.#release();
    return fresh;
  }

  #hold(start: number, bytes: Uint8Array): void {
    const piece =
      bytes.length * PIN_FACTOR < bytes.buffer.byteLength ? Uint8Array.prototype.slice.call(bytes) : bytes;
    this.#received.add(start, start + piece.length);
    this.#earlyBytes += piece.length;
    let at = this.#early.length;
    while (at > 0 && (this.#early[at - 1] as Piece).start > start) at--;
    this.#early.splice(at, 0, { start, bytes: piece });
  }

  #release(): void {
    let count = 0;
    for (const piece of this.#early) {
      if (piece.start !== this.#frontier) break;
      this.#earlyBytes -= piece.bytes.length;
      this.#deliver(piece.bytes);
      count++;
    }
    if (count === 0) return;
    this.#early.splice(0, count);
    this.#received.advance(this.#frontier);
  }

  #deliver(bytes: Uint8Array): void {
    this.#ready.push(bytes);
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
    const ready = this.#ready;
    this.#ready = [];
    this.#readyBytes = 0;
    return ready;
  }
}
