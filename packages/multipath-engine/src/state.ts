import { type CloseCode, FrameEncoder, type PathRole, StreamCode } from "@hawser/shared-protocol";
import { ArrivalReports } from "./arrival-reports.ts";
import { Attention } from "./attention.ts";
import { EgressNotice } from "./egress-notice.ts";
import type { SessionEvent, StreamRefusal } from "./events.ts";
import { FairQueue } from "./fair-queue.ts";
import { HoldUps } from "./hold-up.ts";
import { Control } from "./ledger.ts";
import { STREAM_BURST, STREAM_RATE } from "./limits.ts";
import type { MemoryBudget } from "./memory-budget.ts";
import {
  COPY_FREE,
  COPY_SAVED,
  COPY_SHARE,
  MAX_GONE,
  MAX_KNOWN_PATHS,
  MAX_SEND_BUFFER,
  MIN_SEND_BUFFER,
  QUANTUM,
  RIVALS_COUNTED,
  SEND_BUFFER_GAIN,
  SHARED_TIME,
} from "./parameters.ts";
import { Queue } from "./queue.ts";
import { RangeSet } from "./ranges.ts";
import { type Choice, RolePolicy } from "./role-policy.ts";
import { Stream, type StreamRequest } from "./stream.ts";
import type { Subflow } from "./subflow.ts";
import { TokenBucket } from "./token-bucket.ts";

export interface SessionOptions {
  readonly side: "local" | "remote";
  /** Shared by all sessions of the gateway, or of a peer. */
  readonly memory: MemoryBudget;
}

/** Sums over the life of a session. */
export interface SessionTotals {
  flows: number;
  failed: number;
  /** Application bytes, each counted once. */
  sent: number;
  received: number;
  /** Application bytes that were sent more than once: again after a failure, or as a copy of what was late. */
  reinjected: number;
  /** Of these, the copies. */
  copied: number;
}

/** A subflow that has ended here. */
interface Gone {
  /** Bytes that came on it. */
  readonly received: number;
  readonly role: PathRole;
  isDue: boolean;
}

/** Sums over all lines. They hold until the attention's `revision` changes. */
interface LineSums {
  readonly revision: number;
  /** Bytes that may be under way, and bytes per millisecond. */
  readonly caps: number;
  readonly rates: number;
  /** The longest round trip with the line's variation on top, and the longest without, milliseconds. */
  readonly slowest: number;
  readonly longest: number;
}

/** What the parts of a session share: receiving (`receive.ts`), sending (`transmit.ts`), recovery (`reinjection.ts`). */
export class SessionState {
  readonly side: "local" | "remote";
  readonly budget: MemoryBudget;
  readonly streams = new Map<number, Stream>();
  readonly subflows = new Map<number, Subflow>();
  readonly fairQueue = new FairQueue();
  readonly attention = new Attention();
  readonly roles = new RolePolicy();
  readonly holdUps = new HoldUps();
  readonly arrivalReports = new ArrivalReports();
  readonly egress = new EgressNotice();
  readonly encoder = new FrameEncoder();
  readonly totals: SessionTotals = { flows: 0, failed: 0, sent: 0, received: 0, reinjected: 0, copied: 0 };
  /** Streams with stream frames to send, in this order. */
  readonly pendingControl = new Set<number>();
  /** Codes of RESETs whose arrival is not acknowledged; their streams are gone. */
  readonly resets = new Map<number, StreamCode>();
  /** Local: subflows that have ended here, until the peer acknowledges that; it is told of those that are due. */
  readonly gone = new Map<number, Gone>();
  /** What each path's latest subflow carried when it ended, bytes per millisecond. */
  readonly pathRates = new Map<string, number>();
  /** Stream numbers that were in use: a late frame of a stream that is over must not open it again. */
  readonly seen = new RangeSet();
  /** Streams that their peer has reset, and that are still read. */
  readonly resetting = new Set<number>();
  /** Streams whose data goes over certain paths alone. */
  readonly restricted = new Set<number>();
  readonly events = new Queue<SessionEvent>();
  readonly newStreams: TokenBucket;
  /** Bytes that may be sent as copies of what is late. */
  copyCredit = COPY_FREE;
  /** The time that the latest input or poll gave. */
  now: number;
  closed: { code: CloseCode; reason: string } | undefined;
  /** Bytes acknowledged to this side, of all subflows that there were. */
  acked = 0;
  #sharedUntil = Number.NEGATIVE_INFINITY;
  /** What the lines' models were last told. */
  #told: { readonly choice: Choice; readonly isShared: boolean } | undefined;
  #sums: LineSums = { revision: -1, caps: 0, rates: 0, slowest: 0, longest: 0 };

  constructor(options: SessionOptions, now: number) {
    this.now = now;
    this.side = options.side;
    this.budget = options.memory;
    this.newStreams = new TokenBucket(STREAM_RATE, STREAM_BURST, now);
  }

  addSubflow(subflow: Subflow): void {
    const before = this.subflows.get(subflow.id);
    if (before) this.removeSubflow(before);
    this.subflows.set(subflow.id, subflow);
    this.attention.wake(subflow);
  }

  removeSubflow(subflow: Subflow): void {
    this.subflows.delete(subflow.id);
    this.attention.forget(subflow);
    this.roles.forget(subflow);
    this.arrivalReports.forgetLine(subflow);
  }

  /** Which lines are used, as they stand now. */
  get choice(): Choice {
    return this.roles.choose(this.attention.awake, this.subflows.values());
  }

  /**
   * Tells each line's model whether other lines are past their startup and whether streams are short, if that has changed.
   * Lines that sleep are told too: their caps count in the send buffer's limit.
   */
  tellModels(): void {
    const { choice, isShared } = this;
    if (this.#told?.choice === choice && this.#told.isShared === isShared) return;
    this.#told = { choice, isShared };
    for (const subflow of this.subflows.values()) {
      const isKnown = choice.usable.has(subflow) && !subflow.model.isStarting;
      subflow.model.isBesideKnown = choice.known > (isKnown ? 1 : 0);
      subflow.model.isShared = isShared;
    }
    this.attention.handleChange();
  }

  emit(event: SessionEvent): void {
    this.events.push(event);
  }

  addStream(id: number, request: StreamRequest | undefined, now: number): Stream {
    const stream = new Stream(id, request, this.budget, now, (each) => this.shed(each));
    this.streams.set(id, stream);
    this.seen.add(id, id + 1);
    this.totals.flows++;
    // The stream takes memory by itself. If received bytes of other streams have taken that, one of them is shed.
    this.budget.relieve();
    return stream;
  }

  /** Tells the application that it may read; once, until it was told. */
  announce(stream: Stream): void {
    if (stream.announced) return;
    stream.announced = true;
    this.emit({ type: "readable", stream: stream.id });
  }

  /** Queues a frame of the stream other than DATA. Its fields are filled in when it is sent. */
  queueControl(stream: Stream, control: Control): void {
    if (stream.isResetting) return;
    this.pendingControl.add(stream.id);
    stream.pending |= control;
  }

  /** Local: has the peer told that this subflow has ended here. */
  queueGone({ id, receipt, role }: Subflow): void {
    if (this.side === "remote" || this.closed) return;
    const [oldest] = this.gone.keys();
    if (oldest !== undefined && this.gone.size === MAX_GONE) this.gone.delete(oldest);
    this.gone.set(id, { received: receipt.taken, role, isDue: true });
  }

  /** Remembers what a subflow that has ended found of its path. */
  notePathRate({ path, model }: Subflow): void {
    if (!model.measured) return;
    this.pathRates.delete(path);
    this.pathRates.set(path, model.rate);
    const [oldest] = this.pathRates.keys();
    if (oldest !== undefined && this.pathRates.size > MAX_KNOWN_PATHS) this.pathRates.delete(oldest);
  }

  /** The peer is to be told of a subflow that has ended. */
  get isGoneDue(): boolean {
    for (const { isDue } of this.gone.values()) if (isDue) return true;
    return false;
  }

  /** Frames wait that may go over any line: the earliest one takes them. */
  get hasSessionFrames(): boolean {
    return this.pendingControl.size > 0 || this.isGoneDue;
  }

  /** Puts the stream into the fair queue if it has something to send, and its FIN into the other one. */
  queueToSend(stream: Stream): void {
    const { sendable, sendBuffer } = stream;
    if (sendable > 0) {
      const isShort = sendBuffer.nextOffset === 0 || sendable < QUANTUM;
      if (this.fairQueue.enqueue(stream.id) && isShort) this.#sharedUntil = this.now + SHARED_TIME;
    } else if (stream.isFinReady && !stream.finQueued) {
      stream.finQueued = true;
      this.queueControl(stream, Control.fin);
    }
  }

  /** A short stream was opened beside long ones in the last SHARED_TIME milliseconds. */
  get isShared(): boolean {
    return this.now < this.#sharedUntil;
  }

  /** Data waits that is not restricted to certain paths. */
  get isWaiting(): boolean {
    return this.fairQueue.isWaiting((id) => !this.restricted.has(id));
  }

  /** Bytes of other streams that the fair queue sends before `backlog` of this one is sent: about as much of each. */
  bytesAhead(id: number, backlog: number): number {
    let ahead = 0;
    let counted = 0;
    for (const other of this.fairQueue.rivals(id)) {
      ahead += Math.min(this.streams.get(other)?.sendable ?? 0, Math.max(backlog, QUANTUM));
      if (++counted === RIVALS_COUNTED) return ahead * Math.max(1, this.fairQueue.rivalCount(id) / counted);
    }
    return ahead;
  }

  /** A DATA frame was put on a line: its bytes are new, or were lost, or are still under way on another. */
  noteSent(
    stream: Stream,
    subflow: Subflow,
    chunk: { readonly offset: number; readonly payload: Buffer },
    size: number,
    sending: "new" | "again" | "copy",
  ): void {
    const { length } = chunk.payload;
    subflow.recordData(stream.id, chunk.offset, length, size, sending === "copy", this.now);
    stream.share(subflow.path).sent += length;
    if (sending !== "new") {
      this.totals.reinjected += length;
      subflow.reinjectedBytes += length;
      if (sending !== "copy") return;
      this.totals.copied += length;
      this.copyCredit -= length;
    } else {
      this.totals.sent += length;
      this.copyCredit = Math.min(COPY_SAVED, this.copyCredit + COPY_SHARE * length);
    }
  }

  /**
   * Bytes that one stream may hold unacknowledged or unsent. While its oldest bytes are on the slowest line, the other lines
   * have theirs acknowledged and need more to send. The limit is lower when memory runs short.
   */
  get sendBufferLimit(): number {
    if (this.budget.leftToHold < 0) return MIN_SEND_BUFFER / 8;
    const { caps, rates, slowest } = this.#lineSums;
    const room = Math.max(MIN_SEND_BUFFER, this.budget.leftToHold / 2);
    return Math.min(MAX_SEND_BUFFER, room, MIN_SEND_BUFFER + caps + SEND_BUFFER_GAIN * rates * slowest);
  }

  /** The longest round trip of a line, milliseconds. */
  get longestRtt(): number {
    return this.#lineSums.longest;
  }

  get #lineSums(): LineSums {
    const { revision } = this.attention;
    if (this.#sums.revision === revision) return this.#sums;
    let [caps, rates, slowest, longest] = [0, 0, 0, 0];
    for (const { model, spread } of this.subflows.values()) {
      caps += model.cap;
      rates += model.rate;
      slowest = Math.max(slowest, model.srtt + spread);
      longest = Math.max(longest, model.srtt);
    }
    this.#sums = { revision, caps, rates, slowest, longest };
    return this.#sums;
  }

  /** Ends the stream once both of its directions have ended in order, or what a reset waits for is delivered. */
  finishIfDone(stream: Stream): void {
    const { resetsWith, isResetting } = stream;
    if (resetsWith !== undefined && stream.isDelivered) return this.resetStream(stream, resetsWith);
    if (isResetting || !stream.isReceiveDone) return;
    stream.window.settle();
    if (!stream.isSendDone) return;
    this.forget(stream);
    this.emit({ type: "closed", stream: stream.id });
  }

  /** Ends the stream now, telling the peer, unless that has reset it already. */
  resetStream(stream: Stream, code: StreamCode): void {
    this.forget(stream);
    if (stream.isResetting) return;
    this.resets.set(stream.id, code);
    this.pendingControl.add(stream.id);
    this.noteFailure(stream, code);
  }

  /** There is no memory for what has come of it; the session lives on. */
  shed(stream: Stream): void {
    this.resetStream(stream, StreamCode.overloaded);
    this.emit({ type: "reset", stream: stream.id, code: StreamCode.overloaded });
  }

  /** An application's own reset is no failure. */
  noteFailure({ isOwn }: Stream, code: StreamCode): void {
    if (code !== StreamCode.reset && !isOwn) this.totals.failed++;
  }

  /** Remote: answers the first frame of a stream that there is no room or time for. */
  refuseStream(id: number, reason: StreamRefusal): void {
    this.seen.add(id, id + 1);
    this.resets.set(id, StreamCode.overloaded);
    this.pendingControl.add(id);
    this.totals.flows++;
    this.totals.failed++;
    this.emit({ type: "refused", reason });
  }

  /** Drops all that the stream still had to send. */
  stopSending(stream: Stream): void {
    this.restricted.delete(stream.id);
    this.holdUps.forget(stream);
    this.arrivalReports.forget(stream);
    this.pendingControl.delete(stream.id);
    this.fairQueue.remove(stream.id);
    this.budget.holdToSend(-stream.sendBuffer.memory);
    stream.sendBuffer.discard();
    stream.owesOpened = false;
  }

  /** Gives back all that the stream holds. */
  forget(stream: Stream): void {
    this.streams.delete(stream.id);
    this.resetting.delete(stream.id);
    this.stopSending(stream);
    stream.reorder.discard();
    stream.window.close();
  }
}
