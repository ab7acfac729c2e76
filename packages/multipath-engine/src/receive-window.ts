import { INITIAL_CREDIT } from "@hawser/shared-protocol";
import { FREE_RUNS, RUN_BYTES } from "./limits.ts";
import type { Holder, MemoryBudget } from "./memory-budget.ts";
import { GROW_MOST, GROW_ROUNDS, HOST_RTT, MAX_RECEIVE_WINDOW } from "./parameters.ts";

/** Share of the window that is left when the limit is raised: a CREDIT frame is small, a sender that waits is not. */
const RENEW_BELOW = 0.75;

/**
 * The credit that a receiver grants one stream, and the memory that it counts for. The window follows what the
 * application consumes: a reader that empties a quarter of it within GROW_ROUNDS round trips gets more, as long as the
 * budget lasts; one that stalls keeps what it has. It also grows when half of it was taken by bytes that came early: a
 * slow line holds them up, and the faster ones would wait for credit. When memory is short, windows above the initial one
 * shrink as they are renewed.
 *
 * The initial window counts as its bytes come, what is beyond it as soon as it is granted: thousands of streams rest with
 * the one, few come to have the other.
 */
export class ReceiveWindow implements Holder {
  readonly #budget: MemoryBudget;
  readonly #onShed: () => void;
  #window = INITIAL_CREDIT;
  #limit = INITIAL_CREDIT;
  #received = 0;
  #consumed = 0;
  #grantedAt: number;
  /** `#consumed` at `#grantedAt`. */
  #consumedBefore = 0;
  /** The most bytes that were early at once since the last grant. */
  #mostEarly = 0;
  /** What the order of early bytes takes beside them. */
  #overhead = 0;
  /** What it counts for now; `grown` is a part of `bytes`. */
  readonly #counted = { bytes: 0, grown: 0 };
  #isHolding = false;
  #closed = false;
  #isGranting = true;

  /** @param onShed the stream has to end: see `MemoryBudget.relieve` */
  constructor(budget: MemoryBudget, now: number, onShed: () => void = () => {}) {
    this.#budget = budget;
    this.#grantedAt = now;
    this.#onShed = onShed;
    budget.addStream();
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

  /** So many bytes have come in all; so many of them wait for others before them, in so many runs. */
  handleReceived(received: number, early: number, runs: number): void {
    this.#mostEarly = Math.max(this.#mostEarly, early);
    if (this.#closed) return;
    this.#received = received;
    this.#overhead = Math.max(0, runs - FREE_RUNS) * RUN_BYTES;
    this.#count();
    if (this.#isHolding || this.#held === 0) return;
    this.#isHolding = true;
    this.#budget.noteHolding(this);
  }

  /** The application took `bytes` more. Returns true when the limit rose enough to be worth a CREDIT frame. */
  consume(bytes: number, now: number, rttMs: number): boolean {
    this.#consumed += bytes;
    if (this.#closed) return false;
    this.#noteTaken();
    this.#count();
    if (!this.#isGranting || this.#limit - this.#consumed > this.#window * RENEW_BELOW) return false;
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
    this.#window = Math.max(INITIAL_CREDIT, Math.min(Math.floor(wanted), most));
    this.#count();
  }

  /** Everything was received and consumed. The other direction may last for hours; the stream holds nothing for this one. */
  settle(): void {
    if (this.#closed) return;
    this.#window = INITIAL_CREDIT;
    this.#count();
  }

  /** Nothing more is to come; what has come counts until it is consumed. */
  stopGranting(): void {
    this.#isGranting = false;
    this.settle();
  }

  /** Gives back all that it counts for: the stream is over. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#budget.noteEmpty(this);
    this.#budget.holdToRead(-this.#counted.bytes, -this.#counted.grown);
    this.#budget.removeStream();
  }

  shed(): void {
    this.#onShed();
  }

  // --- memory ---

  /** Bytes that have come and were not consumed. */
  get #held(): number {
    return Math.max(0, this.#received - this.#consumed);
  }

  #noteTaken(): void {
    if (!this.#isHolding) return;
    this.#isHolding = this.#held > 0;
    if (this.#isHolding) this.#budget.noteHolding(this);
    else this.#budget.noteEmpty(this);
  }

  /** After a window has shrunk it may be that more is held than it has. */
  #count(): void {
    const grown = this.#window - INITIAL_CREDIT;
    const held = this.#held;
    const bytes = Math.max(held, grown + Math.min(held, INITIAL_CREDIT)) + this.#overhead;
    const counted = this.#counted;
    if (bytes === counted.bytes && grown === counted.grown) return;
    this.#budget.holdToRead(bytes - counted.bytes, grown - counted.grown);
    counted.bytes = bytes;
    counted.grown = grown;
  }
}
