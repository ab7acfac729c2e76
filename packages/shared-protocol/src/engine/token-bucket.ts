/** Lets through `burst` at once, and `rate` per millisecond in the long run. */
export class TokenBucket {
  readonly #rate: number;
  readonly #burst: number;
  #tokens: number;
  #at: number;

  constructor(rate: number, burst: number, now: number) {
    this.#rate = rate;
    this.#burst = burst;
    this.#tokens = burst;
    this.#at = now;
  }

  /** Takes one; false if there is none now. */
  take(now: number): boolean {
    this.#tokens = Math.min(this.#burst, this.#tokens + this.#rate * (now - this.#at));
    this.#at = now;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}
