/** Waits between attempts: short at first, doubling, never so long that a line's return goes unnoticed for seconds. */

export const FIRST_DELAY_MS = 250;
export const MAX_DELAY_MS = 1_000;

export class Backoff {
  #failures = 0;

  /** The next wait, milliseconds. A quarter is chance, so that lines that died together do not dial together. */
  next(random: () => number = Math.random): number {
    const delay = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** this.#failures++);
    return delay * (0.75 + 0.25 * random());
  }

  reset(): void {
    this.#failures = 0;
  }
}
