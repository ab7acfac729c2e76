/** What is written down is ahead of what is used by so many milliseconds of the present rate, and so many bytes. */
const AHEAD_MS = 3_000;
const AHEAD_BYTES = 262_144;
/** It is written anew when no more than this is left of that. */
const RENEW_MS = 1_000;

/**
 * How much to write down as used, so that a count read after a crash is too high rather than too low, and the disk is
 * seldom written: at most once in AHEAD_MS - RENEW_MS while the rate does not change.
 */
export class Reservation {
  #reserved = 0;
  #used: number;
  #at: number;
  /** Bytes per millisecond, of about the last second. */
  #rate = 0;

  constructor(used: number, now: number) {
    this.#used = used;
    this.#at = now;
  }

  /** Takes the count in. The number to write down, if it is time to. */
  handleUsed(used: number, now: number): number | undefined {
    const elapsed = now - this.#at;
    if (elapsed > 0) {
      const rate = Math.max(0, used - this.#used) / elapsed;
      // At once upwards, over a second downwards.
      this.#rate = Math.max(rate, this.#rate * Math.exp(-elapsed / 1_000));
    }
    const isNewPeriod = used < this.#used;
    this.#used = used;
    this.#at = now;
    if (!isNewPeriod && used + this.#rate * RENEW_MS < this.#reserved) return undefined;
    this.#reserved = Math.ceil(used + AHEAD_BYTES + this.#rate * AHEAD_MS);
    return this.#reserved;
  }
}
