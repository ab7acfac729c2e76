import type { FrameOf, PathPolicy, PathRole, WireError } from "@hawser/shared-protocol";
import {
  CloseCode,
  DEFAULT_POLICY,
  EGRESS_VERSION,
  FrameDecoder,
  MAX_VARINT,
  PROTOCOL_VERSION,
} from "@hawser/shared-protocol";
import { HoldUpAccount } from "./hold-up.ts";
import { type Control, Ledger, type SentFrame } from "./ledger.ts";
import { MAX_UNACKED_FRAMES } from "./limits.ts";
import { type LineReport, LineWatch } from "./line-watch.ts";
import { Liveness } from "./liveness.ts";
import {
  ALLOWANCE_STEP,
  CHUNK_SEGMENTS,
  CHUNK_TIME,
  LATE_MIN,
  MAX_HELD_BACK,
  MIN_LOOK,
  RECORD_BYTES,
  RETURN_BUSY,
  SEGMENT,
  SPREAD,
  STALLED_CAPS,
  UNMEASURED_RTT,
} from "./parameters.ts";
import { PathModel } from "./path-model.ts";
import { PathRules } from "./path-rules.ts";
import { Receipt } from "./receipt.ts";

/** What is known of a subflow when it joins. */
export interface SubflowOptions {
  /** The number that HELLO gave it, unique in the session. */
  readonly id: number;
  /** Name of the path it runs over. */
  readonly path: string;
  readonly role: PathRole;
  readonly side: "local" | "remote";
  /** What the path carried before, bytes per millisecond, if that is known. */
  readonly expectedRate?: number | undefined;
  /** Of the protocol, as HELLO and WELCOME agreed; absent: the latest. */
  readonly version?: number | undefined;
  /** Rules for what this side sends over the path; absent: none. */
  readonly policy?: PathPolicy | undefined;
  /** All subflows of the session, this one included. */
  readonly all?: { readonly size: number };
}

/** One live connection of the session: what came on it, what is under way on it, and what that says of its line. */
export class Subflow {
  readonly id: number;
  readonly path: string;
  readonly model: PathModel;
  readonly receipt = new Receipt();
  readonly ledger = new Ledger();
  readonly decoder = new FrameDecoder();
  readonly liveness: Liveness;
  readonly holdUpAccount = new HoldUpAccount();
  /** Shared by the path's subflows. */
  readonly rules: PathRules;
  role: PathRole;
  /** Count of bytes sent from which on no DATA may follow. */
  allowance: number;
  /** Local: the count that the peer was given as its allowance; and while it is still to be told. */
  grantedToPeer = 0;
  peerAllowance: number | undefined;
  /** A PATH frame is to be sent: the role changed since the peer was told. */
  roleChanged = false;
  /** A "role" event is on its way to the driver. */
  roleAnnounced = false;
  /** Whether the peer understands EGRESS. */
  readonly takesEgress: boolean;
  /** An EGRESS frame is to be sent. */
  egressDue = false;
  /**
   * When a line becomes suspect or begins to rest, what is unacknowledged on it is queued for other lines. Frames that end
   * at or before this count of bytes sent were queued so, and are not queued twice.
   */
  surrenderedTo = 0;
  /** Payload sent on this line that had been sent before, on it or on another. */
  reinjectedBytes = 0;

  /** The peer has told on another line (ARRIVED) that it has this line's bytes up to this count. */
  #arrivedTo = 0;
  readonly #watch = new LineWatch();
  /** When the line, at its rate, will have transmitted all that was written to it. */
  #busyUntil = 0;
  #lateNoticed = false;
  /** When the wait for the next acknowledgement began: at the one before it, or when the line became busy. */
  #awaitedSince = 0;
  /** Data waits for room on the line: when to ask the system again how much has arrived. */
  #lookAt = Number.POSITIVE_INFINITY;
  /** For `isReturnBusy`: bytes received when the comparison of both directions began, and bytes sent since. */
  #comparedAt = 0;
  #comparedBytes = 0;
  #burst = 0;
  #burstAt = 0;

  constructor(options: SubflowOptions, now: number, rules = new PathRules()) {
    this.id = options.id;
    this.path = options.path;
    this.role = options.role;
    this.takesEgress = (options.version ?? PROTOCOL_VERSION) >= EGRESS_VERSION;
    this.model = new PathModel(options.expectedRate);
    this.rules = rules;
    rules.set(options.policy ?? DEFAULT_POLICY, now);
    this.allowance = rules.policy.rationed ? 0 : Number.POSITIVE_INFINITY;
    this.liveness = new Liveness(options.side, now, () => rules.policy.metered, options.all);
  }

  /** Which lines come before this one; see `role-policy.ts`. */
  get tier(): number {
    return this.rules.tier(this.role);
  }

  /** Bytes that it may still send. */
  get #left(): number {
    return this.allowance - this.ledger.sent;
  }

  /** Less than a segment is left of what the allowance lets it send. */
  get isSpent(): boolean {
    return this.#left < SEGMENT;
  }

  /** Bytes per millisecond: what the line carries, or is allowed to. */
  get rate(): number {
    return Math.min(this.model.rate, this.rules.limit?.rate ?? Number.POSITIVE_INFINITY);
  }

  /** Bytes of one chunk, frame and all, fit for the line and for what it may send. */
  get chunk(): number {
    const { limit } = this.rules;
    const { chunk, segment } = this.model;
    const most = Math.min(chunk, Math.max(this.#left, SEGMENT));
    if (!limit) return most;
    const segments = Math.max(1, Math.round((limit.rate * CHUNK_TIME) / segment));
    return Math.min(most, segments * segment - RECORD_BYTES);
  }

  get unackedBytes(): number {
    return this.ledger.unackedBytes;
  }

  /**
   * Bytes on the line or waiting for it. Behind a lost segment the peer acknowledges nothing until it was sent again, but
   * its system has the rest, and the line is free for more.
   */
  get inFlight(): number {
    return Math.min(this.unackedBytes, this.#watch.outstanding(this.ledger.sent));
  }

  /** Something of what was sent may still be under way: acknowledgements, the system's too, are to come. */
  get isUnsettled(): boolean {
    return this.unackedBytes > 0 || !this.#watch.isSettled(this.ledger.sent);
  }

  /** Room for new data, bytes; a line with nothing under way always takes one chunk, unless its rate is used up. */
  get room(): number {
    return Math.min(this.copyRoom, this.#heldBackRoom);
  }

  /** The same for copies, for which a reader waits: they go at once where the line may have more under way. */
  get copyRoom(): number {
    if (this.isFull || this.rules.limit?.isOpen === false) return -1;
    const { cap } = this.model;
    const { unackedBytes } = this;
    const room = Math.min(cap - this.inFlight, STALLED_CAPS * cap - unackedBytes, this.#left);
    return unackedBytes === 0 ? Math.max(room, this.chunk) : room;
  }

  /**
   * TCP's window opens round trip by round trip: on a long line what is written beyond it waits for hundreds of
   * milliseconds, and what is sent again when another line dies waits behind it.
   */
  get #heldBackRoom(): number {
    if (!this.model.measured) return Number.POSITIVE_INFINITY;
    return MAX_HELD_BACK * this.model.rate + this.chunk - this.#watch.unsent(this.ledger.sent);
  }

  /** So many frames are unacknowledged that no more may be sent, however small they are. */
  get isFull(): boolean {
    return this.ledger.length >= MAX_UNACKED_FRAMES;
  }

  /** Another subflow of the path has joined with other rules. If the path is no longer rationed, no allowance holds. */
  handleRules(): void {
    if (!this.rules.policy.rationed) this.allowance = Number.POSITIVE_INFINITY;
  }

  /** Local: as `Session.setAllowance`. */
  setAllowance({ send, receive }: { readonly send: number; readonly receive: number }): boolean {
    const wasSpent = this.isSpent;
    this.allowance = this.ledger.sent + send;
    const limit = Math.min(MAX_VARINT, Math.floor(this.receipt.bytes + receive));
    const step = limit === MAX_VARINT ? 0 : ALLOWANCE_STEP * receive;
    const isTold = Math.abs(limit - this.grantedToPeer) > step;
    if (isTold) {
      this.grantedToPeer = limit;
      this.peerAllowance = limit;
    }
    return isTold || this.isSpent !== wasSpent;
  }

  /** Takes in what the system knows, just before the line is filled. */
  handleLine(report: LineReport, now: number): void {
    this.#lookAt = Number.POSITIVE_INFINITY;
    const isProgress = this.#watch.handleReport(report, this.ledger.sent);
    this.model.handleLine(report, this.#watch.takeRate(this.model.minRtt, now), now);
    if (isProgress) this.liveness.handleProgress(now);
  }

  /** There is data and no room for a chunk of it; the line's rate tells when there should be. */
  awaitRoom(now: number): void {
    const { limit } = this.rules;
    if (limit?.isOpen === false) {
      // It is not the line that holds data back.
      this.model.handleAppLimited(this.unackedBytes, now);
      this.#lookAt = now + Math.max(MIN_LOOK, limit.wait);
    } else if (this.#watch.report) {
      this.#lookAt = now + Math.max(MIN_LOOK, (this.chunk - this.room) / this.model.rate);
    }
  }

  // --- receiving ---

  /** Some of the bytes received belong to frames that call for an ACK, soon or `atOnce`. */
  requestAck(atOnce: boolean, now: number): void {
    this.receipt.requestAck(atOnce ? 0 : this.model.ackDelay, now);
  }

  // --- sending ---

  /** Notes a DATA frame of `size` bytes. */
  recordData(
    stream: number,
    offset: number,
    length: number,
    size: number,
    isCopy: boolean,
    now: number,
  ): void {
    this.#noteReturn(size);
    this.#record(stream, 0, offset, length, size, isCopy, now);
  }

  /** Compares what comes with what goes, over so many segments sent. */
  #noteReturn(size: number): void {
    this.#comparedBytes += size;
    if (this.#comparedBytes < CHUNK_SEGMENTS * this.model.segment) return;
    const received = this.receipt.bytes - this.#comparedAt;
    this.model.isReturnBusy = received > RETURN_BUSY * this.#comparedBytes;
    this.#comparedAt = this.receipt.bytes;
    this.#comparedBytes = 0;
  }

  /** Notes another frame that calls for an acknowledgement; `stream` as in `SentFrame`. */
  recordControl(stream: number, control: Control | 0, size: number, now: number): void {
    this.#record(stream, control, 0, 0, size, false, now);
  }

  #record(
    stream: number,
    control: Control | 0,
    offset: number,
    length: number,
    size: number,
    isCopy: boolean,
    now: number,
  ): void {
    const unacked = this.unackedBytes;
    this.rules.limit?.charge(size, this.model.segment);
    if (unacked === 0) {
      this.liveness.handleBusy(now);
      this.#awaitedSince = now;
      this.#lateNoticed = false;
    }
    this.#busyUntil = Math.max(now, this.#busyUntil) + size / this.model.rate;
    const { delivered, deliveredAt, firstSentAt, appLimited } = this.model.handleSent(unacked, now);
    this.#burst = now === this.#burstAt ? this.#burst + size : size;
    this.#burstAt = now;
    const end = this.ledger.sent + size;
    this.ledger.record({
      end,
      size,
      sentAt: now,
      stream,
      control,
      offset,
      length,
      burst: this.#burst,
      copy: isCopy ? { bytes: length, ends: new Map([[this.id, end]]) } : undefined,
      delivered,
      deliveredAt,
      firstSentAt,
      appLimited,
    });
  }

  /** The peer's ACK; `settle` sees each frame that has arrived. */
  handleAck(ack: FrameOf<"ack">, now: number, settle: (frame: SentFrame) => void): WireError | undefined {
    const before = this.ledger.acked;
    let newest: SentFrame | undefined;
    const possible = this.ledger.acknowledge(ack.received, (frame) => {
      newest = frame;
      settle(frame);
    });
    if (!possible) {
      return { code: CloseCode.protocol, reason: "an ACK beyond what was sent" };
    }
    const bytes = this.ledger.acked - before;
    if (bytes === 0) return undefined;
    this.holdUpAccount.handleCarried(bytes);
    this.#lateNoticed = false;
    this.#awaitedSince = now;
    // The times are those of the last byte, which may be in the middle of a frame.
    const part = this.ledger.oldestPart;
    const last = part > 0 ? this.ledger.oldest : newest;
    const burst = last && part > 0 ? last.burst - last.size + part : last?.burst;
    this.model.handleAck(
      { bytes, newest, last, burst: burst ?? 0, delay: ack.delay / 1_000, time: ack.time / 1_000 },
      now,
    );
    this.liveness.handleProgress(now);
    return undefined;
  }

  /**
   * The peer has told on another line how much has come on this one: that need not be sent again. An ACK of its own is
   * still to come, if the line lives, and only that says something of its times.
   */
  handleArrived(received: number, settle: (frame: SentFrame) => void): WireError | undefined {
    if (received > this.ledger.sent)
      return { code: CloseCode.protocol, reason: "ARRIVED beyond what was sent" };
    for (const frame of this.ledger.unacked(this.#arrivedTo)) {
      if (frame.end > received) break;
      settle(frame);
    }
    this.#arrivedTo = Math.max(this.#arrivedTo, received);
    return undefined;
  }

  /** Frames that the peer may not have and that were not queued for other lines: lost, if the line is. */
  exposed(): IterableIterator<SentFrame> {
    return this.ledger.unacked(Math.max(this.#arrivedTo, this.surrenderedTo));
  }

  // --- estimates ---

  /** How long from `now` until `bytes` more, given to this line now, would be at the peer, milliseconds. */
  arrival(bytes: number, now: number): number {
    const { rate, minRtt } = this.model;
    const roundTrip = minRtt === 0 ? UNMEASURED_RTT : minRtt;
    const queue = this.#queue(roundTrip, rate, now) + (this.rules.limit?.wait ?? 0);
    return roundTrip / 2 + queue + bytes / this.rate + this.lateness(now);
  }

  /** How much later than that it may be: the line's time varies, and a segment may be sent again a round trip later. */
  get spread(): number {
    return Math.max(SPREAD * this.model.rttvar, this.model.minRtt);
  }

  /**
   * Time for which the line is busy with what it has. Its rate tells when it should be done; what is known to be
   * unacknowledged bounds that on both sides, so that no error adds up.
   */
  #queue(roundTrip: number, rate: number, now: number): number {
    const underWay = this.inFlight / rate;
    return Math.min(underWay, Math.max(underWay - roundTrip, this.#busyUntil - now, 0));
  }

  /** For how long an acknowledgement has been overdue, milliseconds: the line stalls, or is dead. */
  lateness(now: number): number {
    return Math.max(0, now - this.#lateAt);
  }

  /**
   * When the acknowledgement that is awaited will be late. Where the system tells what arrives, the oldest frame's own
   * time counts, as long as nothing arrives: a hole that TCP mends shows as arrivals behind it. But a round trip without
   * an ACK is late anywhere, a hole that was lost twice, too.
   */
  get #lateAt(): number {
    const { srtt, rttvar, ackDelay, isWatched, isTimed } = this.model;
    const { oldest } = this.ledger;
    if (!oldest || !isTimed) return Number.POSITIVE_INFINITY;
    const roundTrip = this.#awaitedSince + srtt;
    const own = Math.max(oldest.sentAt + srtt, this.liveness.progressAt);
    const due = isWatched ? Math.min(own, roundTrip) : roundTrip;
    return due + Math.max(LATE_MIN, 4 * rttvar) + ackDelay;
  }

  /** An ACK of so many bytes is sent. */
  recordAck(size: number): void {
    this.rules.limit?.charge(size, this.model.segment);
    this.ledger.skip(size);
  }

  /** Takes the time in: lines are polled once when this one is late, or should have room. */
  handleTime(now: number): void {
    this.rules.limit?.handleTime(now);
    this.#lateNoticed = now >= this.#lateAt;
    if (now >= this.#lookAt) this.#lookAt = Number.POSITIVE_INFINITY;
    this.holdUpAccount.handleTime(now);
  }

  /** The earliest time at which something is to be done without further input. */
  nextTimeout(): number {
    const liveness = this.liveness.nextTimeout(this.unackedBytes > 0, this.model);
    const late = this.#lateNoticed ? Number.POSITIVE_INFINITY : this.#lateAt;
    return Math.min(this.receipt.ackDueAt, this.#lookAt, liveness, late, this.holdUpAccount.nextTimeout());
  }
}
