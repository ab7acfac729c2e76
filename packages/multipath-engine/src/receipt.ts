import type { FrameOf } from "@hawser/shared-protocol";
import { ACK_BYTES } from "./parameters.ts";

/** What has come on one subflow, and what the peer was told of it: by ACKs on it, and on other lines (ARRIVED, GONE). */
export class Receipt {
  #bytes = 0;
  #at = 0;
  /** The count when all that had come until then was taken in. */
  #taken = 0;
  /** The same when the last frame of a stream came, and when the peer was last told on another line. */
  #ofStreams = 0;
  #reported = 0;
  #acked = 0;
  #ackDueAt = Number.POSITIVE_INFINITY;

  /** Bytes received, and when the last of them came. */
  get bytes(): number {
    return this.#bytes;
  }
  get at(): number {
    return this.#at;
  }

  /** What has come and was taken in: behind a frame that ends the subflow there may be more. */
  get taken(): number {
    return this.#taken;
  }

  /** More of streams has come than the peer was told on another line. */
  get hasUnreported(): boolean {
    return this.#ofStreams > this.#reported;
  }

  /** An ACK is wanted, now or later: one rides along with whatever else is sent. */
  get isAckPending(): boolean {
    return this.#ackDueAt !== Number.POSITIVE_INFINITY;
  }

  get ackDueAt(): number {
    return this.#ackDueAt;
  }

  /** `bytes` of the subflow came. They call for an ACK only if `requestAck` says so. */
  handleReceived(bytes: number, now: number): void {
    this.#bytes += bytes;
    this.#at = now;
  }

  /** A frame of a stream is among what came last. */
  handleStreamFrame(): void {
    this.#ofStreams = this.#bytes;
  }

  /** All that came was taken in. */
  handleTaken(): void {
    this.#taken = this.#bytes;
  }

  /** Some of the bytes received belong to frames that call for an ACK, after `delay` milliseconds at most. */
  requestAck(delay: number, now: number): void {
    const due = this.#bytes - this.#acked >= ACK_BYTES ? now : now + delay;
    if (due < this.#ackDueAt) this.#ackDueAt = due;
  }

  takeAck(now: number): FrameOf<"ack"> {
    this.#ackDueAt = Number.POSITIVE_INFINITY;
    this.#acked = this.#bytes;
    return {
      type: "ack",
      received: this.#bytes,
      delay: Math.round(Math.max(0, now - this.#at) * 1_000),
      time: Math.round(Math.max(0, this.#at) * 1_000),
    };
  }

  /** What has come, to be told on another line. */
  takeReport(): number {
    this.#reported = this.#taken;
    return this.#taken;
  }
}
