/**
 * Computes the wait before a line is dialled again. After failed attempts the wait is short at first and doubles, up to a
 * bound at which the return of a line is still noticed within seconds. An attempt without an answer was wait enough. After
 * the loss of a line that had served there is no wait. A line that joins and dies again and again (it loses full packets,
 * or a device on the way resets it) stalls flows each time, so its wait grows.
 */

export const FIRST_DELAY_MS = 250;
export const MAX_DELAY_MS = 1_000;
/**
 * A subflow that lived this long has served, milliseconds. On a line that loses all full packets it dies within 1 to 3
 * s.
 */
export const LONG_LIFE_MS = 5_000;
/** The longest wait: a good line that had a bad minute is left out for no longer. */
export const MAX_HOLD_MS = 10_000;
const HOLD_GROWTH = 4;

export class Backoff {
  readonly #random: () => number;
  #failures = 0;
  #shortLives = 0;

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** The wait after an attempt that took `tookMs` and failed, milliseconds. */
  afterFailure(tookMs: number): number {
    const delay = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** this.#failures++);
    return this.#jitter(Math.max(FIRST_DELAY_MS, delay - tookMs));
  }

  /** The wait after the loss of a subflow that was joined for `livedMs`, milliseconds. */
  afterLoss(livedMs: number): number {
    this.#failures = 0;
    if (livedMs >= LONG_LIFE_MS) {
      this.#shortLives = 0;
      return 0;
    }
    return this.#jitter(Math.min(MAX_HOLD_MS, FIRST_DELAY_MS * HOLD_GROWTH ** this.#shortLives++));
  }

  /** Forgets the failures and losses so far: the line may be another one now. */
  reset(): void {
    this.#failures = 0;
    this.#shortLives = 0;
  }

  /** A quarter of the wait is random, so that lines that died together do not dial together. */
  #jitter(delay: number): number {
    return delay * (0.75 + 0.25 * this.#random());
  }
}
