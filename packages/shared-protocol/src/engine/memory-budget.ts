import { INITIAL_CREDIT } from "../wire/index.ts";

/** Share of the cap below which windows may grow faster: most streams soon rest, and keep what they were promised. */
const AMPLE_BELOW = 0.25;
/** Share of the cap above which windows shrink: growing streams alone do not get there, new ones do. */
const SHRINK_ABOVE = 0.75;

/**
 * The memory that streams may use, `cap` bytes each way. `promised` is the sum of the receive windows, what could arrive
 * and stay if no application read any more, and of what its order takes. `heldToSend` is what the send buffers take. A
 * budget within another (a peer's within the gateway's) counts in both, and the shorter of the two decides.
 */
export class MemoryBudget {
  /** Bytes. A lower one takes effect as streams end and windows shrink. */
  cap: number;
  readonly #within: MemoryBudget | undefined;
  #promised = 0;
  #heldToSend = 0;

  constructor(cap: number, within?: MemoryBudget) {
    this.cap = cap;
    this.#within = within;
  }

  get promised(): number {
    return this.#promised;
  }

  get heldToSend(): number {
    return this.#heldToSend;
  }

  /** A window of the peer's grew by `bytes`, or shrank. */
  promise(bytes: number): void {
    this.#promised += bytes;
    this.#within?.promise(bytes);
  }

  /** A send buffer takes `bytes` more, or less. */
  hold(bytes: number): void {
    this.#heldToSend += bytes;
    this.#within?.hold(bytes);
  }

  /** What one window may grow by: from the first half of the memory only, so that new streams find room. */
  get leftToGrow(): number {
    const own = Math.max(0, this.cap / 2 - this.#promised);
    return Math.min(own, this.#within?.leftToGrow ?? own);
  }

  /** What send buffers may still take; below 0 when they hold too much. */
  get leftToHold(): number {
    const own = this.cap - this.#heldToSend;
    return Math.min(own, this.#within?.leftToHold ?? own);
  }

  /** Windows may grow ahead of what their readers have shown. */
  get isAmple(): boolean {
    return this.#promised < this.cap * AMPLE_BELOW && this.#within?.isAmple !== false;
  }

  /** Windows above the initial one are to shrink. */
  get isShort(): boolean {
    return this.#promised > this.cap * SHRINK_ABOVE || this.#within?.isShort === true;
  }

  /** More is promised than there is: by what early runs take beside their bytes. */
  get isExceeded(): boolean {
    return this.#promised > this.cap || this.#within?.isExceeded === true;
  }

  /** Another stream finds no room. */
  get isSpent(): boolean {
    return this.#promised + INITIAL_CREDIT > this.cap || this.#within?.isSpent === true;
  }
}
