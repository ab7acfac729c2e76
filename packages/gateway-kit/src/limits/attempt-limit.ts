/** Limits attempts to log in, so that passwords cannot be guessed by trying many. */

import { sourceOf } from "./admission.ts";

/** Failures of one address within WINDOW_MS, after which it must wait until that time is over. */
const MAX_FAILURES = 10;
const WINDOW_MS = 60_000;
/** How many addresses are remembered. Beyond that the one that failed first is forgotten. */
const MAX_ADDRESSES = 4_096;

interface Failures {
  count: number;
  readonly until: number;
}

/** Counts failures by IPv4 address and by IPv6 /64: a host can use all addresses of its /64. `now` is in milliseconds. */
export class AttemptLimit {
  readonly #failures = new Map<string, Failures>();

  /** Milliseconds until this address may try again; 0 when it may now. */
  waitFor(address: string | undefined, now: number): number {
    const failures = this.#failures.get(sourceOf(address));
    return failures && failures.count >= MAX_FAILURES ? Math.max(0, failures.until - now) : 0;
  }

  handleFailure(address: string | undefined, now: number): void {
    const key = sourceOf(address);
    const known = this.#failures.get(key);
    if (known && known.until > now) {
      known.count++;
      return;
    }
    this.#failures.delete(key);
    this.#failures.set(key, { count: 1, until: now + WINDOW_MS });
    const [oldest] = this.#failures.keys();
    if (this.#failures.size > MAX_ADDRESSES && oldest !== undefined) this.#failures.delete(oldest);
  }
}
