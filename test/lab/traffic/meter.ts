/** The record of a stream of bytes, made by the program that received it. Times are ms since the meter was made. */
export interface MeterReport {
  bytes: number;
  /** When the first and the last bytes came; null when none did. */
  firstByteMs: number | null;
  lastByteMs: number | null;
  /** Bit/s between `skipMs` and the end of the window, or the last byte when the stream ended before. */
  goodputBps: number;
  /** The longest silence between the first byte and the end of the window (or last byte). */
  largestGapMs: number;
  /** When that silence began. */
  largestGapAtMs: number;
  /** Bytes of each 100 ms. */
  timeline: number[];
  /** The wall clock at time 0, ms since 1970, so that timelines of several processes can be compared. */
  startedAt: number;
}

export const TIMELINE_STEP_MS = 100;

export class Meter {
  readonly #started = performance.now();
  readonly #startedAt = Date.now();
  readonly #skipMs: number;
  readonly #timeline: number[] = [];
  #bytes = 0;
  #skipped = 0;
  #first: number | null = null;
  #last = 0;
  #gap = 0;
  #gapAt = 0;

  /** @param skipMs how much of the beginning the goodput leaves out */
  constructor(skipMs = 0) {
    this.#skipMs = skipMs;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get elapsedMs(): number {
    return performance.now() - this.#started;
  }

  count(bytes: number): void {
    const now = this.elapsedMs;
    this.#noteGap(now);
    this.#first ??= now;
    this.#last = now;
    if (now < this.#skipMs) this.#skipped += bytes;
    this.#bytes += bytes;
    const step = Math.floor(now / TIMELINE_STEP_MS);
    while (this.#timeline.length <= step) this.#timeline.push(0);
    this.#timeline[step] = (this.#timeline[step] as number) + bytes;
  }

  #noteGap(now: number): void {
    if (this.#first === null || now - this.#last <= this.#gap) return;
    this.#gap = now - this.#last;
    this.#gapAt = this.#last;
  }

  /** @param windowMs when the measurement ended, for one that is ended by the clock and not by the last byte */
  report(windowMs?: number): MeterReport {
    if (windowMs !== undefined) this.#noteGap(windowMs);
    const from = Math.max(this.#skipMs, this.#skipMs > 0 ? 0 : (this.#first ?? 0));
    const seconds = ((windowMs ?? this.#last) - from) / 1000;
    return {
      bytes: this.#bytes,
      firstByteMs: this.#first,
      lastByteMs: this.#first === null ? null : this.#last,
      goodputBps: seconds > 0 ? ((this.#bytes - this.#skipped) * 8) / seconds : 0,
      largestGapMs: this.#gap,
      largestGapAtMs: this.#gapAt,
      timeline: this.#timeline,
      startedAt: this.#startedAt,
    };
  }
}
