import { INITIAL_CREDIT } from "../wire/index.ts";

/**
 * The memory that the streams of all sessions of a gateway may use, `cap` bytes each way. `promised` is the sum of the
 * receive windows, what could arrive and stay if no application read any more, and of what its order takes. `heldToSend` is what the send buffers hold.
 */
export class MemoryBudget {
  readonly cap: number;
  promised = 0;
  heldToSend = 0;

  constructor(cap: number) {
    this.cap = cap;
  }

  /** What one window may grow by: from the first half of the memory only, so that new streams find room. */
  get leftToGrow(): number {
    return Math.max(0, this.cap / 2 - this.promised);
  }

  /** More is promised than there is: by what early runs take beside their bytes. */
  get isExceeded(): boolean {
    return this.promised > this.cap;
  }

  /** Another stream finds no room. */
  get isSpent(): boolean {
    return this.promised + INITIAL_CREDIT > this.cap;
  }
}
