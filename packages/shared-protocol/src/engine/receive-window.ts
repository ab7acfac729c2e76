import { INITIAL_CREDIT } from "../wire/index.ts";
import { MAX_RECEIVE_WINDOW } from "./parameters.ts";

/**
 * The memory that all streams of a session may promise to their senders. `promised` is the sum over the streams of
 * (credit limit - consumed): what could arrive and stay if no application read any more.
 */
export class MemoryBudget {
  readonly cap: number;
  promised = 0;

  constructor(cap: number) {
    this.cap = cap;
  }

  get left(): number {
    return Math.max(0, this.cap - this.promised);
  }
}

/**
 * The credit that a receiver grants one stream. The window follows what the application consumes: a reader that
 * empties half of it within two round trips gets twice as much, as long as the budget lasts; one that stalls keeps what
 * it has.
 */
export class ReceiveWindow {
  readonly #budget: MemoryBudget;
  #window = INITIAL_CREDIT;
  #limit = INITIAL_CREDIT;
  #consumed = 0;
  #grantedAt: number;

  constructor(budget: MemoryBudget, now: number) {
    this.#budget = budget;
    this.#grantedAt = now;
    budget.promised += INITIAL_CREDIT;
  }

  /** The offset up to which the sender may send. */
  get limit(): number {
    return this.#limit;
  }

  get window(): number {
    return this.#window;
  }

  /** The application took `bytes` more. Returns true when the limit rose enough to be worth a CREDIT frame. */
  consume(bytes: number, now: number, rttMs: number): boolean {
    this.#consumed += bytes;
    this.#budget.promised -= bytes;
    if (this.#limit - this.#consumed > this.#window / 2) return false;
    if (now - this.#grantedAt < 2 * rttMs) this.#grow();
    const limit = this.#consumed + this.#window;
    this.#budget.promised += limit - this.#limit;
    this.#limit = limit;
    this.#grantedAt = now;
    return true;
  }

  #grow(): void {
    const room = Math.min(this.#window, this.#budget.left, MAX_RECEIVE_WINDOW - this.#window);
    if (room > 0) this.#window += room;
  }

  /** Gives back what was promised: the stream is over. */
  close(): void {
    this.#budget.promised -= this.#limit - this.#consumed;
    this.#limit = this.#consumed;
  }
}
