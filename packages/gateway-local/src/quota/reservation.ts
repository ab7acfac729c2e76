/** The stored count is ahead of the true one by what the present rate brings in AHEAD_MS, and by AHEAD_BYTES. */
const AHEAD_MS = 3_000;
const AHEAD_BYTES = 262_144;
/** A new count is stored when the present rate reaches the stored one within this time. */
const RENEW_MS = 1_000;

/**
 * Says which count to store. The stored count is ahead of the true one: after a crash the quota has counted too much rather
 * than too little. At a steady rate the disk is written at most once in AHEAD_MS - RENEW_MS.
 */
export class Reservation {
  #reserved = 0;
  #used: number;
  #at: number;
  /** The rate over about the last second, bytes per millisecond. */
  #rate = 0;

  constructor(used: number, now: number) {
    this.#used = used;
    this.#at = now;
  }

  /** Takes in the count. Returns the count to store, if it is time for that. */
  handleUsed(used: number, now: number): number | undefined {
    const elapsed = now - this.#at;
    if (elapsed > 0) {
      const rate = Math.max(0, used - this.#used) / elapsed;
      // The rate rises at once, and falls over a second.
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
