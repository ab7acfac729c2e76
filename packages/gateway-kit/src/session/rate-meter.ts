/** Rate of a counter over about the last second: an exponential mean of the samples given. */
export class RateMeter {
  #bytes = 0;
  #at: number | undefined;
  #bps = 0;

  /** Bits per second. */
  get bps(): number {
    return Math.round(this.#bps);
  }

  /** `bytes` is the counter's value at `now` (milliseconds). */
  sample(bytes: number, now: number): void {
    if (this.#at !== undefined && now > this.#at) {
      const elapsed = now - this.#at;
      const rate = ((bytes - this.#bytes) * 8_000) / elapsed;
      const weight = Math.min(1, elapsed / 1_000);
      this.#bps += (rate - this.#bps) * weight;
    }
    this.#bytes = bytes;
    this.#at = now;
  }
}
