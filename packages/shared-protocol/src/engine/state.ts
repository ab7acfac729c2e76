import { type CloseCode, FrameEncoder, StreamCode } from "../wire/index.ts";
import type { SessionEvent } from "./events.ts";
import { FairQueue } from "./fair-queue.ts";
import { Control } from "./ledger.ts";
import { MAX_SEND_BUFFER, MIN_SEND_BUFFER, QUANTUM, RIVALS_COUNTED, SEND_BUFFER_CAPS } from "./parameters.ts";
import { Queue } from "./queue.ts";
import { RangeSet } from "./ranges.ts";
import { MemoryBudget } from "./receive-window.ts";
import { Stream, type StreamRequest } from "./stream.ts";
import type { Subflow } from "./subflow.ts";

export interface SessionOptions {
  readonly side: "local" | "remote";
  /** Memory that this side's receive windows may promise, and that its send buffers may hold, bytes each. */
  readonly memoryCap: number;
}

/** Sums over the life of a session. */
export interface SessionTotals {
  flows: number;
  failed: number;
  /** Application bytes, each counted once. */
  sent: number;
  received: number;
  /** Application bytes that were sent more than once. */
  reinjected: number;
}

/** What the parts of a session share: receiving (`receive.ts`), sending (`transmit.ts`), recovery (`reinjection.ts`). */
export class SessionState {
  readonly side: "local" | "remote";
  readonly budget: MemoryBudget;
  readonly streams = new Map<number, Stream>();
  readonly subflows = new Map<number, Subflow>();
  readonly fairQueue = new FairQueue();
  readonly encoder = new FrameEncoder();
  readonly totals: SessionTotals = { flows: 0, failed: 0, sent: 0, received: 0, reinjected: 0 };
  /** Streams with stream frames to send. */
  readonly pendingControl = new Queue<number>();
  /**
   * Streams that are over while DATA of theirs is under way, by which it may also be waiting in a connection. Were their
   * buffers given back, others' bytes would go out under this stream's number.
   */
  readonly departed = new Map<number, Stream>();
  /** Codes of RESETs whose arrival is not acknowledged; their streams are gone. */
  readonly resets = new Map<number, StreamCode>();
  /** Stream numbers that were in use: a late frame of a stream that is over must not open it again. */
  readonly seen = new RangeSet();
  readonly events = new Queue<SessionEvent>();
  /** Bytes in all send buffers. */
  heldToSend = 0;
  /** The latest time that an input or a poll told. */
  now: number;
  closed: { code: CloseCode; reason: string } | undefined;

  constructor(options: SessionOptions, now: number) {
    this.now = now;
    this.side = options.side;
    this.budget = new MemoryBudget(options.memoryCap);
  }

  emit(event: SessionEvent): void {
    this.events.push(event);
  }

  addStream(id: number, request: StreamRequest | undefined, now: number): Stream {
    const stream = new Stream(id, request, this.budget, now);
    this.streams.set(id, stream);
    this.seen.add(id, id + 1);
    this.totals.flows++;
    return stream;
  }

  /** Tells the application that it may read; once, until it was told. */
  announce(stream: Stream): void {
    if (stream.announced) return;
    stream.announced = true;
    this.emit({ type: "readable", stream: stream.id });
  }

  /** Has a stream frame sent, in the form it has when its turn comes. */
  queueControl(stream: Stream, control: Control): void {
    if (stream.pending === 0) this.pendingControl.push(stream.id);
    stream.pending |= control;
  }

  /** Puts the stream into the fair queue if it has something to send, and its FIN into the other one. */
  queueToSend(stream: Stream): void {
    if (stream.sendable > 0) this.fairQueue.enqueue(stream.id);
    else if (stream.isFinReady && !stream.finQueued) {
      stream.finQueued = true;
      this.queueControl(stream, Control.fin);
    }
  }

  /** What the fair queue sends of other streams until it has sent `backlog` of this one: as much of each, roughly. */
  bytesAhead(id: number, backlog: number): number {
    let ahead = 0;
    let counted = 0;
    for (const other of this.fairQueue.rivals(id)) {
      ahead += Math.min(this.streams.get(other)?.sendable ?? 0, Math.max(backlog, QUANTUM));
      if (++counted === RIVALS_COUNTED) break;
    }
    return ahead;
  }

  /** A DATA frame was put on a line; `again` if its bytes had been sent before. */
  noteSent(
    stream: Stream,
    subflow: Subflow,
    chunk: { readonly offset: number; readonly payload: Buffer },
    size: number,
    again: boolean,
  ): void {
    const { length } = chunk.payload;
    subflow.recordData(stream.id, chunk.offset, length, size, this.now);
    stream.underWay++;
    stream.share(subflow.path).sent += length;
    if (again) {
      this.totals.reinjected += length;
      subflow.reinjectedBytes += length;
    } else {
      this.totals.sent += length;
    }
  }

  /** What one stream may hold: what all lines may have under way, and more to come; less when memory runs short. */
  get sendBufferLimit(): number {
    if (this.heldToSend > this.budget.cap) return MIN_SEND_BUFFER / 8;
    let underWay = 0;
    for (const subflow of this.subflows.values()) underWay += subflow.model.cap;
    const room = Math.max(MIN_SEND_BUFFER, (this.budget.cap - this.heldToSend) / 2);
    return Math.min(MAX_SEND_BUFFER, room, MIN_SEND_BUFFER + SEND_BUFFER_CAPS * underWay);
  }

  /** Ends the stream once both of its directions have ended in order. */
  finishIfDone(stream: Stream): void {
    if (!stream.isSendDone || !stream.isReceiveDone) return;
    this.forget(stream);
    this.emit({ type: "closed", stream: stream.id });
  }

  /** Ends the stream now, telling the peer. */
  resetStream(stream: Stream, code: StreamCode): void {
    this.forget(stream);
    this.resets.set(stream.id, code);
    if (stream.pending === 0) this.pendingControl.push(stream.id);
    if (code !== StreamCode.reset) this.totals.failed++;
  }

  /** Gives back all that the stream holds, but for buffers that a connection may still have to write out. */
  forget(stream: Stream): void {
    this.streams.delete(stream.id);
    this.fairQueue.remove(stream.id);
    this.heldToSend -= stream.sendBuffer.held;
    stream.window.close();
    stream.reorder.discard();
    if (stream.underWay > 0) this.departed.set(stream.id, stream);
    else stream.sendBuffer.discard();
  }

  /** A DATA frame of the stream has arrived, or its connection is gone. */
  noteSettled(id: number): void {
    const stream = this.streams.get(id) ?? this.departed.get(id);
    if (!stream || --stream.underWay > 0 || !this.departed.delete(id)) return;
    stream.sendBuffer.discard();
  }
}
