import {
  CloseCode,
  type EgressFamilies,
  type Endpoint,
  type PathRole,
  StreamCode,
} from "@hawser/shared-protocol";
import type { SessionEvent, StreamRefusal } from "./events.ts";
import { Control } from "./ledger.ts";
import type { LineReport } from "./line-watch.ts";
import { MAX_STREAMS, SESSION_LINGER } from "./parameters.ts";
import { resetIfConsumed } from "./peer-reset.ts";
import { FrameReceiver } from "./receive.ts";
import { handleLiveness, surrender } from "./reinjection.ts";
import { type SessionOptions, SessionState, type SessionTotals } from "./state.ts";
import type { Stream, StreamRequest } from "./stream.ts";
import { Subflow, type SubflowOptions } from "./subflow.ts";
import { transmit } from "./transmit.ts";
import { Turn } from "./turn.ts";

/** What a reader gets: pieces in order, and whether they are the last. */
export interface ReadResult {
  readonly pieces: Uint8Array[];
  readonly length: number;
  readonly end: boolean;
}

/**
 * One session, seen from one of its ends: a state machine without sockets, clocks or timers. Its driver passes in inputs
 * (`handle*`) and commands, then makes a turn (`make-turn.ts`), which takes the outputs (`poll*`) in their order. The next
 * turn is due at the time of `pollTimeout`. All calls of one turn get the same time; all times are milliseconds of one
 * monotonic clock. A peer's bytes never make it throw.
 */
export class Session {
  readonly #state: SessionState;
  readonly #receivers = new Map<number, FrameReceiver>();
  /** Frames that a closed subflow is still to send (its CLOSE). */
  readonly #lastWords = new Map<number, Buffer[]>();
  #nextStream = 0;
  #orphanedAt: number | undefined;

  constructor(options: SessionOptions, now: number) {
    this.#state = new SessionState(options, now);
    this.#orphanedAt = now;
  }

  // --- getters ---

  get isClosed(): boolean {
    return this.#state.closed !== undefined;
  }

  get totals(): Readonly<SessionTotals> {
    return this.#state.totals;
  }

  /** Memory that is taken each way, bytes; see `MemoryBudget`. */
  get memory(): { readonly heldToRead: number; readonly heldToSend: number } {
    const { heldToRead, heldToSend } = this.#state.budget;
    return { heldToRead, heldToSend };
  }

  /** Counts of what the session keeps: for its streams, until the last is over; of `gone`, until the peer was told. */
  get kept(): Readonly<Record<"streams" | "resets" | "controls" | "queued" | "gone", number>> {
    const { streams, resets, pendingControl, fairQueue, gone } = this.#state;
    return {
      streams: streams.size,
      resets: resets.size,
      controls: pendingControl.size,
      queued: fairQueue.size,
      gone: gone.size,
    };
  }

  get subflows(): IterableIterator<Subflow> {
    return this.#state.subflows.values();
  }

  /** The paths that may carry new data now, by the roles of their lines. */
  get usedPaths(): ReadonlySet<string> {
    return new Set(Array.from(this.#state.choice.usable, ({ path }) => path));
  }

  get streams(): IterableIterator<Stream> {
    return this.#state.streams.values();
  }

  stream(id: number): Stream | undefined {
    return this.#state.streams.get(id);
  }

  get streamCount(): number {
    return this.#state.streams.size;
  }

  // --- inputs ---

  /** A subflow has joined (HELLO and WELCOME are behind it). */
  addSubflow(options: Omit<SubflowOptions, "side" | "expectedRate" | "all">, now: number): Subflow {
    const { side, subflows, pathRates } = this.#state;
    const siblings = [...subflows.values()].filter(({ path }) => path === options.path);
    const expectedRate = pathRates.get(options.path);
    const subflow = new Subflow({ ...options, side, expectedRate, all: subflows }, now, siblings[0]?.rules);
    subflow.egressDue = side === "remote" && subflow.takesEgress;
    for (const sibling of siblings) {
      this.#state.attention.wake(sibling);
      sibling.handleRules();
    }
    this.#state.addSubflow(subflow);
    this.#orphanedAt = undefined;
    this.#receivers.set(subflow.id, new FrameReceiver(this.#state, subflow, this));
    return subflow;
  }

  /** Bytes came on a subflow. The session keeps views on them; they must not change afterwards. */
  handleBytes(subflow: number, bytes: Uint8Array, now: number): void {
    this.#state.now = now;
    const line = this.#state.subflows.get(subflow);
    if (line) this.#state.attention.wake(line);
    this.#receivers.get(subflow)?.handleBytes(bytes, now);
  }

  /**
   * The subflows of which the system's word is wanted (`handleLine`) before `handleTimeout`: those that may have moved, and
   * those that data waits for. A line that seems to stand still may have moved below.
   */
  pollLook(now: number): Iterable<number> {
    const { attention, fairQueue } = this.#state;
    attention.wakeDue(now);
    if (fairQueue.size > 0) for (const line of this.#state.choice.usable) attention.wake(line);
    return Array.from(attention.awake, ({ id }) => id);
  }

  /** What the system knows of a subflow's connection. */
  handleLine(id: number, report: LineReport, now: number): void {
    const subflow = this.#state.subflows.get(id);
    if (!subflow) return;
    this.#state.attention.wake(subflow);
    const before = subflow.liveness.state;
    subflow.handleLine(report, now);
    handleLiveness(this.#state, subflow, before);
  }

  /** The subflow's connection is gone. What it held goes to the others. */
  handleSubflowLost(id: number, now: number): void {
    const subflow = this.#state.subflows.get(id);
    this.#lastWords.delete(id);
    if (!subflow) return;
    this.#state.removeSubflow(subflow);
    this.#receivers.delete(id);
    this.#state.notePathRate(subflow);
    surrender(this.#state, subflow);
    this.#state.queueGone(subflow);
    if (this.#state.subflows.size === 0) this.#orphanedAt = now;
  }

  /** The time given by `pollTimeout` has come (or any other). */
  handleTimeout(now: number): void {
    this.#state.now = now;
    this.#state.attention.wakeDue(now);
    for (const subflow of [...this.#state.attention.awake].sort((a, b) => a.id - b.id))
      this.#handleSubflowTime(subflow, now);
    this.#state.holdUps.handleTime(this.#state);
    this.#state.arrivalReports.handleTime(now);
    const tiers = this.#state.roles.handleTime(this.#state.choice, this.#state.acked, now);
    if (tiers) this.#state.emit({ type: "tier", ...tiers });
    if (this.#orphanedAt !== undefined && now >= this.#orphanedAt + SESSION_LINGER) {
      this.close(CloseCode.unresponsive, "without any line for too long", now);
    }
  }

  #handleSubflowTime(subflow: Subflow, now: number): void {
    const { holdUpAccount } = subflow;
    const wasResting = holdUpAccount.isResting;
    subflow.handleTime(now);
    if (wasResting && !holdUpAccount.isResting) this.#state.emit({ type: "rest", subflow: subflow.id });
    const entered = subflow.liveness.handleTimeout(subflow.unackedBytes > 0, subflow.model, now);
    if (!entered) return;
    this.#state.emit({ type: "subflow", subflow: subflow.id, state: entered });
    surrender(this.#state, subflow);
    this.#doubt(subflow.path);
    if (entered === "dead") this.closeSubflow(subflow.id, CloseCode.unresponsive, "no progress", now);
  }

  /** What one subflow of a path shows may be true of its line: the others, which may be idle, are asked now. */
  #doubt(path: string): void {
    for (const sibling of this.#state.subflows.values()) {
      if (sibling.path === path && sibling.liveness.handleDoubt()) this.#state.attention.wake(sibling);
    }
  }

  // --- commands ---

  /** Local: why no stream can be opened now; undefined when one can. */
  get whyFull(): StreamRefusal | undefined {
    if (this.#state.streams.size + this.#state.resets.size >= MAX_STREAMS) return "streams";
    return this.#state.budget.isSpent ? "memory" : undefined;
  }

  /** Local: opens a stream, or returns undefined when the session is closed or full. */
  open(request: StreamRequest, now: number): number | undefined {
    if (this.isClosed || this.#state.side !== "local" || this.whyFull) return undefined;
    const stream = this.#state.addStream(this.#nextStream++, request, now);
    this.#state.queueControl(stream, Control.open);
    return stream.id;
  }

  /** The destination was reached; `bound` is the address we reached it from. */
  accept(id: number, bound: Endpoint): void {
    const stream = this.#state.streams.get(id);
    if (!stream) return;
    stream.bound = bound;
    stream.owesOpened = true;
    this.#state.queueControl(stream, Control.opened);
  }

  /**
   * Takes over bytes of the application; `release` is called once the peer has them. False asks for a pause
   * until the "writable" event; what was given is taken all the same.
   */
  write(id: number, bytes: Buffer, release?: () => void): boolean {
    const stream = this.#state.streams.get(id);
    if (!stream || stream.ended || stream.isResetting) {
      release?.();
      return true;
    }
    const before = stream.sendBuffer.memory;
    stream.sendBuffer.append(bytes, release);
    this.#state.budget.holdToSend(stream.sendBuffer.memory - before);
    this.#state.queueToSend(stream);
    stream.blocked = stream.sendBuffer.held >= this.#state.sendBufferLimit;
    return !stream.blocked;
  }

  /** The application has written its last byte. */
  end(id: number): void {
    const stream = this.#state.streams.get(id);
    if (!stream || stream.ended) return;
    stream.ended = true;
    stream.blocked = false;
    this.#state.queueToSend(stream);
  }

  /**
   * Has the stream's data go over these paths alone from now on, whatever their roles, and wait when none of them makes
   * progress. Concerns what this side sends.
   */
  restrict(id: number, paths: ReadonlySet<string>): void {
    const stream = this.#state.streams.get(id);
    if (!stream) return;
    stream.onlyPaths = paths;
    this.#state.restricted.add(id);
  }

  /** The stream is the gateways' own, and no flow: it is not counted as one. */
  setOwn(id: number): void {
    const stream = this.#state.streams.get(id);
    if (!stream || stream.isOwn) return;
    stream.isOwn = true;
    this.#state.totals.flows--;
  }

  /** Ends both directions at once. No event follows. */
  reset(id: number, code: StreamCode): void {
    const stream = this.#state.streams.get(id);
    if (stream) this.#state.resetStream(stream, code);
  }

  /** Ends both directions as soon as the peer has what was written. False: that is still to come; no event tells of it. */
  resetBehind(id: number, code: StreamCode): boolean {
    const stream = this.#state.streams.get(id);
    if (!stream) return true;
    stream.resetsWith = code;
    this.#state.finishIfDone(stream);
    return stream.isDelivered;
  }

  /** What has come in order since the last read. The bytes count as consumed only with `consume`. */
  read(id: number): ReadResult {
    const stream = this.#state.streams.get(id);
    if (!stream) return { pieces: [], length: 0, end: false };
    const length = stream.reorder.held - stream.reorder.early;
    const pieces = stream.reorder.take();
    const end = stream.finalOffset === stream.reorder.frontier;
    if (end && !stream.finTaken) {
      stream.finTaken = true;
      this.#state.finishIfDone(stream);
    }
    return { pieces, length, end };
  }

  /** The application took `bytes` of what was read: its memory is free, and the peer may send as much more. */
  consume(id: number, bytes: number, now: number): void {
    const stream = this.#state.streams.get(id);
    if (!stream) return;
    if (stream.window.consume(bytes, now, this.#state.longestRtt))
      this.#state.queueControl(stream, Control.credit);
    if (stream.isResetting) resetIfConsumed(this.#state, stream);
    else if (stream.finTaken) this.#state.finishIfDone(stream);
  }

  /** Gives a path another role, here and at the peer. */
  setPathRole(path: string, role: PathRole): void {
    for (const subflow of this.#state.subflows.values()) {
      if (subflow.path !== path || subflow.role === role) continue;
      this.#state.attention.wake(subflow);
      subflow.role = role;
      subflow.roleChanged = true;
    }
  }

  /** Remote: by which address families this gateway reaches the Internet. The peer is told when that changes. */
  setEgress(families: EgressFamilies): void {
    if (!this.#state.egress.set(families)) return;
    for (const subflow of this.#state.subflows.values()) {
      this.#state.attention.wake(subflow);
      subflow.egressDue = subflow.takesEgress;
    }
  }

  /** By which address families the remote gateway reaches the Internet; undefined until that is known. */
  get egress(): EgressFamilies | undefined {
    return this.#state.egress.families;
  }

  /**
   * Local: how many bytes more may go over a subflow of a rationed path, each way; infinity takes the bound away. The
   * peer is told only when what it has left differs from that by more than a quarter. Returns whether a turn has something
   * to do now.
   */
  setAllowance(id: number, bytes: { readonly send: number; readonly receive: number }): boolean {
    const subflow = this.#state.subflows.get(id);
    if (!subflow?.setAllowance(bytes)) return false;
    this.#state.attention.wake(subflow);
    return true;
  }

  /** Ends one subflow with a CLOSE; its streams go on over the others. */
  closeSubflow(id: number, code: CloseCode, reason: string, now: number): void {
    if (!this.#state.subflows.has(id)) return;
    this.handleSubflowLost(id, now);
    this.#sayClose(id, "subflow", code, reason);
  }

  /** Ends the session: every stream is reset, every subflow closed. */
  close(code: CloseCode, reason: string, now: number): void {
    if (this.isClosed) return;
    for (const stream of this.#state.streams.values()) {
      this.#state.forget(stream);
      this.#state.emit({ type: "reset", stream: stream.id, code: StreamCode.shutdown });
    }
    for (const id of this.#state.subflows.keys()) {
      this.handleSubflowLost(id, now);
      this.#sayClose(id, "session", code, reason);
    }
    this.#state.resets.clear();
    this.#state.pendingControl.clear();
    this.#state.gone.clear();
    this.#state.closed = { code, reason };
    this.#state.emit({ type: "session-closed", code, reason });
  }

  #sayClose(id: number, scope: "subflow" | "session", code: CloseCode, reason: string): void {
    this.#state.encoder.append({ type: "close", scope, code, reason });
    this.#lastWords.set(id, this.#state.encoder.take());
    this.#state.emit({ type: "close-subflow", subflow: id, code, reason });
  }

  // --- outputs ---

  /** The next event, or undefined when there is none. */
  pollEvent(): SessionEvent | undefined {
    const event = this.#state.events.shift();
    if (event?.type === "readable") {
      const stream = this.#state.streams.get(event.stream);
      if (stream) stream.announced = false;
    } else if (event?.type === "role") {
      const subflow = this.#state.subflows.get(event.subflow);
      if (subflow) subflow.roleAnnounced = false;
    }
    return event;
  }

  /** What a subflow that was closed is still to write: its CLOSE. */
  takeLastWords(id: number): Buffer[] | undefined {
    const words = this.#lastWords.get(id);
    this.#lastWords.delete(id);
    return words;
  }

  /** Everything that came was taken in, and the events were delivered: lines may be filled. */
  startTurn(now: number): Turn {
    this.#state.now = now;
    return new Turn(this.#state, now);
  }

  /**
   * What to write on this subflow now, as buffers for one gathered write, or undefined. Ask again until undefined while
   * the connection takes more.
   */
  pollTransmit(id: number, turn: Turn): Buffer[] | undefined {
    const subflow = this.#state.subflows.get(id);
    if (!subflow) return undefined;
    this.#state.attention.wake(subflow);
    return transmit(this.#state, subflow, turn);
  }

  /** When `handleTimeout` and a new round of polling are due, if nothing else happens before. */
  pollTimeout(): number {
    if (this.isClosed) return Number.POSITIVE_INFINITY;
    const { attention, arrivalReports, holdUps } = this.#state;
    const lingers =
      this.#orphanedAt === undefined ? Number.POSITIVE_INFINITY : this.#orphanedAt + SESSION_LINGER;
    return Math.min(lingers, attention.settle(), arrivalReports.nextTimeout(), holdUps.nextTimeout());
  }
}
