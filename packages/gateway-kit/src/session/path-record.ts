import type { Subflow, TierChange } from "@hawser/multipath-engine";
import type { PathRole } from "@hawser/shared-protocol";
import type { PathState } from "./path-state.ts";
import { RateMeter } from "./rate-meter.ts";

/** Who is told of a path's changes, after them. */
export interface PathObserver {
  onState(path: PathRecord, before: PathState): void;
  onRole(path: PathRecord): void;
  /** An overflow or backup path begins or ends to carry what this side sends. */
  onUse(path: PathRecord, change: TierChange): void;
  /** The path begins or ends to rest: it carries nothing new for a while, though it could. */
  onRest(path: PathRecord): void;
  /** A connection of the path was lost while others go on. */
  onSubflowLost(path: PathRecord, reason: string): void;
}

/** Bytes on the line, as IP packets. */
export interface LineBytes {
  readonly sent: number;
  readonly received: number;
}

export interface FrameBytes extends LineBytes {
  /** Of those sent, what had been sent before, on this path or another. */
  readonly reinjected: number;
}

/** Milliseconds. */
export interface RoundTrip {
  /** Smoothed. */
  readonly now: number;
  readonly least: number;
}

/** A line that was idle for so long has no queue left, milliseconds. */
const QUEUE_GONE_MS = 5_000;
/** No line has a queue of this; the PINGs of all its subflows are less. Bits per second. */
const IDLE_BPS = 10_000;

/**
 * The last samples were taken under load, and an end that only answers the other's PINGs gets no newer ones: an idle line
 * has its least round trip.
 */
function roundTripNow({ model, unackedBytes }: Subflow, receiveBps: number): number {
  const isOld = performance.now() - model.sampledAt > QUEUE_GONE_MS;
  const isIdle = unackedBytes === 0 && receiveBps < IDLE_BPS;
  return isOld && isIdle ? model.minRtt : model.srtt;
}

/**
 * What is known of one path over the gateway's life: its subflows come and go, its counters go on. Bytes are those of
 * the protocol's frames, before TLS.
 */
export class PathRecord {
  readonly name: string;
  #role: PathRole;
  readonly #live = new Map<Subflow, LineBytes>();
  readonly #retired = { sent: 0, received: 0, reinjected: 0 };
  readonly #retiredLine = { sent: 0, received: 0 };
  readonly #sendRate = new RateMeter();
  readonly #receiveRate = new RateMeter();
  #lastError: string | undefined;
  readonly #observer: PathObserver | undefined;
  #state: PathState = "connecting";
  #reason = REASONS.connecting;
  #since = new Date();
  #restsUntil: Date | undefined;
  #roleReason: string;
  #roleSince = new Date();

  /** `roleReason` says who gave the role, or why. */
  constructor(name: string, role: PathRole, roleReason: string, observer?: PathObserver) {
    this.name = name;
    this.#role = role;
    this.#roleReason = roleReason;
    this.#observer = observer;
    this.noteState();
  }

  /** The role in force. */
  get role(): PathRole {
    return this.#role;
  }
  get lastError(): string | undefined {
    return this.#lastError;
  }

  get roleReason(): string {
    return this.#roleReason;
  }
  /** Until when it rests; undefined when it does not. */
  get restsUntil(): Date | undefined {
    return this.#restsUntil;
  }

  /** Why it is in its state. */
  get reason(): string {
    return this.#state === "down" ? (this.#lastError ?? "") : this.#reason;
  }

  /** The best of its subflows' states. */
  get state(): PathState {
    if (this.#role === "disabled") return "disabled";
    const states = new Set([...this.#live.keys()].map((subflow) => subflow.liveness.state));
    for (const state of ["up", "probation", "suspect"] as const) if (states.has(state)) return state;
    return this.#lastError === undefined ? "connecting" : "down";
  }

  /** `reason` says who gave the role, or why. */
  setRole(role: PathRole, reason: string): void {
    if (role === this.#role) return;
    // Why it was ended then says nothing of now: it is to be dialled.
    if (this.#role === "disabled") this.#lastError = undefined;
    this.#role = role;
    this.#roleReason = reason;
    this.#roleSince = new Date();
    this.#observer?.onRole(this);
    this.noteState();
  }

  /** `line` counts on while the subflow lives. */
  handleJoined(subflow: Subflow, line: LineBytes): void {
    this.#live.set(subflow, line);
    this.#lastError = undefined;
    this.noteState();
    this.noteRest();
  }

  /** `isMeant`: that one of several ends is no fault. */
  handleLost(subflow: Subflow, reason: string, isMeant: boolean): void {
    const line = this.#live.get(subflow);
    if (!line) return;
    this.#live.delete(subflow);
    this.#retiredLine.sent += line.sent;
    this.#retiredLine.received += line.received;
    this.#retired.sent += subflow.ledger.sent;
    this.#retired.received += subflow.receipt.bytes;
    this.#retired.reinjected += subflow.reinjectedBytes;
    const goesOn = this.#live.size > 0;
    if (!goesOn || !isMeant) this.#lastError = reason;
    this.noteState();
    if (goesOn && !isMeant) this.#observer?.onSubflowLost(this, reason);
    this.noteRest();
  }

  /** The path was lost, or could not be dialled. */
  handleFailure(reason: string): void {
    this.#lastError = reason;
    this.noteState();
  }

  /** To be called when a subflow's state may have changed: remembers since when the path is in its state. */
  noteState(): void {
    const state = this.state;
    const before = this.#state;
    if (state === before) return;
    this.#state = state;
    this.#reason = state === "up" && before === "suspect" ? "makes progress again" : REASONS[state];
    this.#since = new Date();
    this.#observer?.onState(this, before);
  }

  /** To be called when tiers come into use, or go out of it, the path's among them. */
  noteUse(change: TierChange): void {
    if (this.#role !== "disabled") this.#observer?.onUse(this, change);
  }

  /** To be called when one of its subflows begins or ends to rest: the path rests when all do. One that is down does not. */
  noteRest(): void {
    const accounts = [...this.#live.keys()].map(({ holdUpAccount }) => holdUpAccount);
    const isResting = accounts.length > 0 && accounts.every((account) => account.isResting);
    if (isResting === (this.#restsUntil !== undefined)) return;
    const ms = Math.min(...accounts.map(({ restsUntil }) => restsUntil)) - performance.now();
    this.#restsUntil = isResting ? new Date(Date.now() + ms) : undefined;
    if (accounts.length > 0) this.#observer?.onRest(this);
  }

  /** To be called about once a second, for the rates. */
  sample(now: number): void {
    const { sent, received } = this.frameBytes;
    this.#sendRate.sample(sent, now);
    this.#receiveRate.sample(received, now);
  }

  /** What the path's line has carried since the gateway's start, as IP packets; dials that failed left out. */
  get lineBytes(): LineBytes {
    const bytes = { ...this.#retiredLine };
    for (const line of this.#live.values()) {
      bytes.sent += line.sent;
      bytes.received += line.received;
    }
    return bytes;
  }

  get roleSince(): Date {
    return this.#roleSince;
  }
  /** When it entered its state. */
  get since(): Date {
    return this.#since;
  }
  /** Live connections. */
  get subflows(): number {
    return this.#live.size;
  }

  /** Of the subflow with the shortest, milliseconds; undefined before the first sample. */
  get roundTrip(): RoundTrip | undefined {
    const timed = [...this.#live.keys()].filter(({ model }) => model.srtt > 0);
    if (timed.length === 0) return undefined;
    return {
      now: Math.min(...timed.map((each) => roundTripNow(each, this.#receiveRate.bps))),
      least: Math.min(...timed.map(({ model }) => model.minRtt)),
    };
  }

  /** Of the protocol's frames, bits per second. */
  get rates(): { readonly sendBps: number; readonly receiveBps: number } {
    return { sendBps: this.#sendRate.bps, receiveBps: this.#receiveRate.bps };
  }

  /** Sent and not yet acknowledged. */
  get unackedBytes(): number {
    return [...this.#live.keys()].reduce((sum, subflow) => sum + subflow.unackedBytes, 0);
  }

  /** What the path has carried since the gateway's start, as the protocol's frames. */
  get frameBytes(): FrameBytes {
    const bytes = { ...this.#retired };
    for (const subflow of this.#live.keys()) {
      bytes.sent += subflow.ledger.sent;
      bytes.received += subflow.receipt.bytes;
      bytes.reinjected += subflow.reinjectedBytes;
    }
    return bytes;
  }
}

/** Why a path enters a state; down has an error's reason. */
const REASONS: Readonly<Record<PathState, string>> = {
  connecting: "being dialled",
  probation: "connected, on trial",
  up: "ready for data",
  suspect: "nothing is acknowledged",
  down: "",
  disabled: "its role is disabled",
};
