/** Lets through `burst` at once, and `rate` per millisecond in the long run. */
export class TokenBucket {
  #rate = 0;
  #burst = 0;
  #tokens: number;
  #at: number;

  constructor(rate: number, burst: number, now: number) {
    this.configure(rate, burst);
    this.#tokens = burst;
    this.#at = now;
  }

  /** What holds from the next `take` on. */
  configure(rate: number, burst: number): void {
    this.#rate = rate;
    this.#burst = burst;
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
