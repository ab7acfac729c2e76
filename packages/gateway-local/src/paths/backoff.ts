/**
 * Waits before a line is dialled again. After attempts that fail: short at first, doubling, never so long that a line's
 * return goes unnoticed for seconds; an attempt that nobody answered was wait enough. After a loss: none, if the line
 * had served. One that joins and dies again and again (full packets get lost on it, or something on its way resets it)
 * stalls the flows each time, and is left alone for ever longer.
 */

export const FIRST_DELAY_MS = 250;
export const MAX_DELAY_MS = 1_000;
/** A subflow that lived so long has served. One on a line that loses all full packets is found dead within 1 to 3 s. */
export const LONG_LIFE_MS = 5_000;
/** A good line that had a bad minute is left out for no longer. */
export const MAX_HOLD_MS = 10_000;
const HOLD_GROWTH = 4;

export class Backoff {
  readonly #random: () => number;
  #failures = 0;
  #shortLives = 0;

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** Milliseconds from the end of an attempt that failed, and took `tookMs`, to the next. */
  afterFailure(tookMs: number): number {
    const delay = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** this.#failures++);
    return this.#jitter(Math.max(FIRST_DELAY_MS, delay - tookMs));
  }

  /** Milliseconds from the loss of a subflow that was joined for `livedMs` to the next attempt. */
  afterLoss(livedMs: number): number {
    this.#failures = 0;
    if (livedMs >= LONG_LIFE_MS) {
      this.#shortLives = 0;
      return 0;
    }
    return this.#jitter(Math.min(MAX_HOLD_MS, FIRST_DELAY_MS * HOLD_GROWTH ** this.#shortLives++));
  }

  /** The line is another one now, for all that is known. */
  reset(): void {
    this.#failures = 0;
    this.#shortLives = 0;
  }

  /** A quarter is chance, so that lines that died together do not dial together. */
  #jitter(delay: number): number {
    return delay * (0.75 + 0.25 * this.#random());
  }
}
