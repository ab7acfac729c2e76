import { Queue } from "./queue.ts";

/**
 * The frames other than DATA that are sent again when their subflow is lost: stream frames, in their present form, and
 * GONE. Values are bits of a set.
 */
export const Control = { open: 1, opened: 2, fin: 4, reset: 8, credit: 16, gone: 32 } as const;
export type Control = (typeof Control)[keyof typeof Control];

/** One frame that calls for an acknowledgement, as it left on a subflow. */
export interface SentFrame extends RateState {
  /** Count of the subflow's bytes behind this frame. */
  readonly end: number;
  readonly size: number;
  readonly sentAt: number;
  /** The stream's number. For GONE it is the number of the subflow that has ended, for other frames without a stream -1. */
  readonly stream: number;
  /** Which frame it is; 0 for DATA, and for what is not sent again. */
  readonly control: Control | 0;
  readonly offset: number;
  /** Bytes of DATA. */
  readonly length: number;
  /** Bytes that were sent in the same instant, up to the end of this frame: they were on the line before it arrived. */
  readonly burst: number;
  /** What of the frame was sent again on other lines. A frame that is itself such a copy counts as copied whole, by itself. */
  copy: Copy | undefined;
}

/** A frame, or its first bytes, on other subflows. */
export interface Copy {
  /** Bytes of its DATA, from the first on, that were copied or are acknowledged already. */
  bytes: number;
  /**
   * For each subflow that took some of them, by its number: its count of bytes sent behind the first. If the subflow is given
   * up to that count, this copy is lost.
   */
  readonly ends: Map<number, number>;
}

/** The state of the delivery-rate estimate when a frame was sent; see `rate-estimate.ts`. */
export interface RateState {
  readonly delivered: number;
  readonly deliveredAt: number;
  readonly firstSentAt: number;
  readonly appLimited: boolean;
}

/** What was sent on one subflow and is not acknowledged, in the order in which it left. */
export class Ledger {
  readonly #frames = new Queue<SentFrame>();
  #sent = 0;
  #acked = 0;
  #frameBytes = 0;

  /** Count of all bytes sent, ACK frames included. */
  get sent(): number {
    return this.#sent;
  }

  /** The peer's count of bytes received. */
  get acked(): number {
    return this.#acked;
  }

  /** Unacknowledged bytes of frames that call for an acknowledgement; a frame may be acknowledged in part. */
  get unackedBytes(): number {
    return this.#frameBytes - this.oldestPart;
  }

  get oldest(): SentFrame | undefined {
    return this.#frames.peek();
  }

  /** Bytes of the oldest frame that have arrived. */
  get oldestPart(): number {
    const head = this.#frames.peek();
    return head ? Math.max(0, this.#acked - (head.end - head.size)) : 0;
  }

  /** Frames that are not acknowledged whole. */
  get length(): number {
    return this.#frames.length;
  }

  /** Counts bytes that call for no acknowledgement (ACK frames). */
  skip(bytes: number): void {
    this.#sent += bytes;
  }

  /** Appends a frame whose `end` is `sent` + its size. */
  record(frame: SentFrame): void {
    this.#sent = frame.end;
    this.#frameBytes += frame.size;
    this.#frames.push(frame);
  }

  /** Takes the peer's count in. `settle` sees every frame that has arrived whole. False if the count is impossible. */
  acknowledge(received: number, settle: (frame: SentFrame) => void): boolean {
    if (received > this.#sent) return false;
    if (received <= this.#acked) return true;
    this.#acked = received;
    for (let frame = this.#frames.peek(); frame && frame.end <= received; frame = this.#frames.peek()) {
      this.#frames.shift();
      this.#frameBytes -= frame.size;
      settle(frame);
    }
    return true;
  }

  /** Every frame that is still unacknowledged and ends behind `from`, without forgetting it. */
  *unacked(from = 0): IterableIterator<SentFrame> {
    for (let i = this.#firstBehind(from); i < this.#frames.length; i++) yield this.#frames.at(i) as SentFrame;
  }

  #firstBehind(offset: number): number {
    let low = 0;
    let high = this.#frames.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#frames.at(middle) as SentFrame).end > offset) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
