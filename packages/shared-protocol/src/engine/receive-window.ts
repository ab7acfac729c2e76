import { INITIAL_CREDIT } from "../wire/index.ts";
import { FREE_RUNS, RUN_BYTES } from "./limits.ts";
import type { MemoryBudget } from "./memory-budget.ts";
import { GROW_MOST, GROW_ROUNDS, HOST_RTT, MAX_RECEIVE_WINDOW } from "./parameters.ts";

/**
 * The credit that a receiver grants one stream. The window follows what the application consumes: a reader that
 * empties a quarter of it within GROW_ROUNDS round trips gets more, as long as the budget lasts; one that stalls keeps
 * what it has. It also grows when half of it was taken by bytes that came early: a slow line holds them up, and the
 * faster ones would wait for credit. When the budget's growing half is spent, windows above the initial one shrink as
 * they are renewed.
 */
export class ReceiveWindow {
  readonly #budget: MemoryBudget;
  #window = INITIAL_CREDIT;
  #limit = INITIAL_CREDIT;
  #consumed = 0;
  #grantedAt: number;
  /** `#consumed` at `#grantedAt`. */
  #consumedBefore = 0;
  /** The most bytes that were early at once since the last grant. */
  #mostEarly = 0;
  /** What the order of early bytes takes beside them. */
  #overhead = 0;
  #closed = false;

  constructor(budget: MemoryBudget, now: number) {
    this.#budget = budget;
    this.#grantedAt = now;
    budget.promise(INITIAL_CREDIT);
  }

  /** The offset up to which the sender may send. */
  get limit(): number {
    return this.#limit;
  }

  /** Bytes that the application took. */
  get consumed(): number {
    return this.#consumed;
  }

  get window(): number {
    return this.#window;
  }

  /** So many bytes have come and wait for others before them, in so many runs. */
  handleEarly(bytes: number, runs: number): void {
    this.#mostEarly = Math.max(this.#mostEarly, bytes);
    if (this.#closed) return;
    const overhead = Math.max(0, runs - FREE_RUNS) * RUN_BYTES;
    this.#budget.promise(overhead - this.#overhead);
    this.#overhead = overhead;
  }

  /** The application took `bytes` more. Returns true when the limit rose enough to be worth a CREDIT frame. */
  consume(bytes: number, now: number, rttMs: number): boolean {
    this.#consumed += bytes;
    if (this.#closed || this.#limit - this.#consumed > this.#window * RENEW_BELOW) return false;
    const lasting = GROW_ROUNDS * Math.max(HOST_RTT, rttMs);
    if (this.#budget.isShort) this.#resize(this.#window / 2);
    else if (now - this.#grantedAt < lasting || this.#mostEarly >= this.#window / 2)
      this.#resize(this.#grown(now, lasting));
    // Never less than was granted before: credit cannot be taken back.
    this.#limit = Math.max(this.#limit, this.#consumed + this.#window);
    this.#grantedAt = now;
    this.#consumedBefore = this.#consumed;
    this.#mostEarly = 0;
    return true;
  }

  /**
   * Twice as much, and doubling would go on until a quarter of the window is `lasting` milliseconds' worth. While memory
   * is ample it comes there sooner: until a window covers what faster lines send meanwhile, a long line is given nothing.
   */
  #grown(now: number, lasting: number): number {
    const pace = (this.#consumed - this.#consumedBefore) / Math.max(HOST_RTT, now - this.#grantedAt);
    const enough = (pace * lasting) / (1 - RENEW_BELOW);
    const most = this.#window * (this.#budget.isAmple ? GROW_MOST : 2);
    return Math.max(2 * this.#window, Math.min(most, enough));
  }

  #resize(wanted: number): void {
    const most = Math.min(this.#window + this.#budget.leftToGrow, MAX_RECEIVE_WINDOW);
    const window = Math.max(INITIAL_CREDIT, Math.min(Math.floor(wanted), most));
    this.#budget.promise(window - this.#window);
    this.#window = window;
  }

  /**
   * Everything was received and consumed. What every stream may use at its start stays promised: the other direction may
   * last for hours, and many such streams would hold memory for which nothing stands.
   */
  settle(): void {
    if (this.#closed) return;
    this.#budget.promise(INITIAL_CREDIT - this.#window);
    this.#window = INITIAL_CREDIT;
  }

  /** Gives back what was promised: the stream is over. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#budget.promise(-this.#window - this.#overhead);
    this.#overhead = 0;
  }
}

/** Share of the window that is left when the limit is raised: a CREDIT frame is small, a sender that waits is not. */
const RENEW_BELOW = 0.75;
