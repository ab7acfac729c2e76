import { LIMIT_BURST, LINE_HEADERS, RECORD_BYTES } from "./parameters.ts";

/**
 * A token bucket for one path: what its subflows send together stays at `rate` bytes per millisecond. Sending is open
 * while nothing is owed; a chunk that goes out then may leave a debt, which time pays. So the rate is exact, and a burst
 * no longer than LIMIT_BURST and a chunk.
 */
export class RateLimit {
  readonly rate: number;
  #balance = 0;
  #at: number;

  constructor(rate: number, now: number) {
    this.rate = rate;
    this.#at = now;
  }

  /** Takes the time in; what a line did not use is kept for LIMIT_BURST. */
  handleTime(now: number): void {
    const earned = this.rate * Math.max(0, now - this.#at);
    this.#balance = Math.min(this.rate * LIMIT_BURST, this.#balance + earned);
    this.#at = now;
  }

  get isOpen(): boolean {
    return this.#balance >= 0;
  }

  /** Milliseconds until it is open. */
  get wait(): number {
    return Math.max(0, -this.#balance / this.rate);
  }

  /** A frame of `size` bytes goes out, on a line with segments of so many. */
  charge(size: number, segment: number): void {
    this.#balance -= lineBytes(size, segment);
  }
}

/** What a frame takes on the line as IP packets: with TLS's record, and with headers for each segment. */
export function lineBytes(size: number, segment: number): number {
  const record = size + RECORD_BYTES;
  return record + (record / segment) * LINE_HEADERS;
}
