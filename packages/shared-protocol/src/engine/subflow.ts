import type { AckFrame, PathRole, WireError } from "../wire/index.ts";
import { CloseCode, FrameDecoder } from "../wire/index.ts";
import { type Control, Ledger, type SentFrame } from "./ledger.ts";
import { Liveness } from "./liveness.ts";
import { ACK_BYTES } from "./parameters.ts";
import { PathModel } from "./path-model.ts";

export interface SubflowOptions {
  /** Number of the caller's choice, unique in the session. */
  readonly id: number;
  /** Name of the path it runs over. */
  readonly path: string;
  readonly role: PathRole;
  readonly side: "local" | "remote";
}

/** What a frame is, for the ledger. */
export interface FrameRecord {
  readonly size: number;
  readonly stream: number;
  readonly control: Control | 0;
  readonly offset: number;
  readonly length: number;
  readonly reinjected: boolean;
}

/** One live connection of the session: what came on it, what is under way on it, and what that says of its line. */
export class Subflow {
  readonly id: number;
  readonly path: string;
  readonly model = new PathModel();
  readonly ledger = new Ledger();
  readonly decoder = new FrameDecoder();
  readonly liveness: Liveness;
  role: PathRole;
  /** A PATH frame is to be sent: the role changed since the peer was told. */
  roleChanged = false;
  /** What it held was given to the others when it became suspect: it holds nothing of its own until progress. */
  surrendered = false;
  reinjectedBytes = 0;

  #receivedBytes = 0;
  #receivedAt = 0;
  #ackedBytes = 0;
  #ackDueAt = Number.POSITIVE_INFINITY;

  constructor(options: SubflowOptions, now: number) {
    this.id = options.id;
    this.path = options.path;
    this.role = options.role;
    this.liveness = new Liveness(options.side, now);
  }

  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  get unackedBytes(): number {
    return this.ledger.unackedBytes;
  }

  /** Room for new data, bytes; a line with nothing under way always takes one chunk. */
  get room(): number {
    const room = this.model.cap - this.unackedBytes;
    return this.unackedBytes === 0 ? Math.max(room, this.model.chunk) : room;
  }

  /** When `bytes` more, given to this line now, would be at the peer: milliseconds from now. */
  arrival(bytes: number): number {
    return this.model.minRtt / 2 + (this.unackedBytes + bytes) / this.model.rate;
  }

  // --- receiving ---

  /** `bytes` of the stream came. They call for an ACK unless `handleOnlyAcks` says otherwise. */
  handleReceived(bytes: number, now: number): void {
    this.#receivedBytes += bytes;
    this.#receivedAt = now;
    this.liveness.handleBytes(now);
  }

  /** Some of the bytes received belong to frames that call for an ACK, soon or `atOnce`. */
  requestAck(atOnce: boolean, now: number): void {
    const due =
      atOnce || this.#receivedBytes - this.#ackedBytes >= ACK_BYTES ? now : now + this.model.ackDelay;
    this.#ackDueAt = Math.min(this.#ackDueAt, due);
  }

  isAckDue(now: number): boolean {
    return this.#ackDueAt <= now;
  }

  /** An ACK is wanted, now or later: one rides along with whatever else is sent. */
  get isAckPending(): boolean {
    return this.#ackDueAt !== Number.POSITIVE_INFINITY;
  }

  takeAck(now: number): AckFrame {
    this.#ackDueAt = Number.POSITIVE_INFINITY;
    this.#ackedBytes = this.#receivedBytes;
    return {
      type: "ack",
      received: this.#receivedBytes,
      delay: Math.round(Math.max(0, now - this.#receivedAt) * 1_000),
    };
  }

  // --- sending ---

  /** Notes a frame that calls for an acknowledgement. */
  record(frame: FrameRecord, now: number): void {
    const inFlight = this.ledger.unackedBytes;
    if (inFlight === 0) this.liveness.handleBusy(now);
    this.ledger.record({ ...frame, sentAt: now, rateState: this.model.handleSent(inFlight, now) });
  }

  /** The peer's ACK; `settle` sees each frame that has arrived. `recovered` tells that a suspicion has ended. */
  handleAck(
    ack: AckFrame,
    now: number,
    settle: (frame: SentFrame) => void,
  ): { error?: WireError; recovered: boolean } {
    const before = this.ledger.acked;
    let newest: SentFrame | undefined;
    const possible = this.ledger.acknowledge(ack.received, (frame) => {
      newest = frame;
      settle(frame);
    });
    if (!possible) {
      return { error: { code: CloseCode.protocol, reason: "an ACK beyond what was sent" }, recovered: false };
    }
    if (this.ledger.acked === before) return { recovered: false };
    if (newest) this.model.handleAck(newest, this.ledger.acked - before, ack.delay / 1_000, now);
    return { recovered: this.liveness.handleProgress(now) };
  }

  /** The earliest time at which something is to be done without further input. */
  nextTimeout(): number {
    return Math.min(this.#ackDueAt, this.liveness.nextTimeout(this.unackedBytes > 0, this.model));
  }
}
