import {
  DEAD_FACTOR,
  DEAD_MIN,
  GRACE,
  HEARTBEAT,
  HEARTBEAT_SUBFLOWS,
  METERED_HEARTBEAT,
  OWN_PAUSE,
  PING_EARLY,
  PROBATION,
  SUSPECT_MAX,
  SUSPECT_MIN,
  SUSPECT_UNMEASURED,
} from "./parameters.ts";
import type { PathModel } from "./path-model.ts";

/**
 * ```
 *  probation --(acks for PROBATION)--> up <--(progress)-- suspect --(still none)--> dead
 *      |                                |                    ^
 *      '----------(no progress)---------'--------------------'
 * ```
 * Progress is a peer's ACK that moves. Kernel timeouts are far too slow for this (minutes).
 */
export type LivenessState = "probation" | "up" | "suspect" | "dead";

/** Watches one subflow for progress. */
export class Liveness {
  readonly #side: "local" | "remote";
  /** Whether the line is metered: pings cost money. */
  readonly #metered: () => boolean;
  /** The subflows of the session. */
  readonly #all: { readonly size: number };
  #state: LivenessState = "probation";
  #since: number;
  #progressAt: number;
  /** When something was last acknowledged. */
  #answeredAt: number;
  /** Since the last progress a late timer was already taken for a pause of this process. */
  #excused = false;
  /** A new subflow is pinged at once, whatever comes before: the first measurement is not a chunk's, which takes longer. */
  #greeted = false;
  #pinged = false;

  constructor(
    side: "local" | "remote",
    now: number,
    metered: () => boolean = () => false,
    all: { readonly size: number } = { size: 1 },
  ) {
    this.#side = side;
    this.#metered = metered;
    this.#all = all;
    this.#since = now;
    this.#progressAt = now;
    this.#answeredAt = Number.NEGATIVE_INFINITY;
  }

  /** After so long a silence the line is pinged. */
  get #heartbeat(): number {
    const isRare = this.#state === "up" && this.#metered();
    const usual = HEARTBEAT[this.#side] * Math.max(1, this.#all.size / HEARTBEAT_SUBFLOWS);
    return isRare ? Math.max(METERED_HEARTBEAT[this.#side], usual) : usual;
  }

  get state(): LivenessState {
    return this.#state;
  }

  /** Last time something was acknowledged, or the line went from idle to busy. */
  get progressAt(): number {
    return this.#progressAt;
  }

  /** When the present state began. */
  get since(): number {
    return this.#since;
  }

  /** Something is sent while nothing was under way: the wait for an answer begins. */
  handleBusy(now: number): void {
    this.#progressAt = now;
  }

  /** Something more has arrived. */
  handleProgress(now: number): void {
    this.#progressAt = now;
    this.#excused = false;
    if (this.#greeted) {
      this.#answeredAt = now;
      this.#pinged = false;
    }
    const proven = this.#state === "probation" && now - this.#since >= PROBATION;
    if (proven || this.#state === "suspect") this.#enter("up", now);
  }

  /** Takes the time in, `busy` telling whether anything is unacknowledged. Returns a state that was entered now. */
  handleTimeout(busy: boolean, model: PathModel, now: number): "suspect" | "dead" | undefined {
    if (!busy || this.#state === "dead") return undefined;
    const due = this.#deadline(model);
    if (now < due) return undefined;
    if (now > due + OWN_PAUSE && !this.#excused) {
      // This process was paused: the peer's answers may have come meanwhile and are still to be read.
      this.#excused = true;
      this.#progressAt += now - due + GRACE;
      return undefined;
    }
    // One state a call: even after a long pause a line is suspect for its full time before it is dead.
    this.#progressAt += now - due;
    const entered = this.#state === "suspect" ? "dead" : "suspect";
    this.#enter(entered, now);
    return entered;
  }

  /** How long the wait for progress may last in the present state. */
  #deadline(model: PathModel): number {
    const patience = suspectAfter(model);
    return this.#progressAt + (this.#state === "suspect" ? deadAfter(patience) : patience);
  }

  /** The line may have failed: a PING is due now, unless an answer is awaited. Returns whether it is. */
  handleDoubt(): boolean {
    if (this.#pinged || this.#state === "suspect" || this.#state === "dead") return false;
    this.#answeredAt = Number.NEGATIVE_INFINITY;
    return true;
  }

  /** From when on the line is pinged along with others, while nothing happens on it. */
  get pingFrom(): number {
    if (this.#pinged) return Number.POSITIVE_INFINITY;
    return this.#answeredAt + this.#heartbeat - PING_EARLY;
  }

  /** The session is awake anyway: a PING that is due soon is due now. Returns whether one is. */
  handleCompany(now: number): boolean {
    if (now < this.pingFrom) return false;
    this.#answeredAt = Number.NEGATIVE_INFINITY;
    return true;
  }

  /** Whether a PING is due; it counts as sent. */
  takePing(now: number): boolean {
    if (this.#pinged || now < this.#answeredAt + this.#heartbeat) return false;
    this.#greeted = true;
    this.#pinged = true;
    return true;
  }

  /** When `handleTimeout` or `takePing` next has something to do. */
  nextTimeout(busy: boolean, model: PathModel): number {
    const ping = this.#pinged ? Number.POSITIVE_INFINITY : this.#answeredAt + this.#heartbeat;
    if (!busy || this.#state === "dead") return ping;
    return Math.min(ping, this.#deadline(model));
  }

  #enter(state: LivenessState, now: number): void {
    this.#state = state;
    this.#since = now;
  }
}

function suspectAfter(model: PathModel): number {
  if (!model.isTimed) return SUSPECT_UNMEASURED;
  return Math.min(SUSPECT_MAX, Math.max(SUSPECT_MIN, 1.5 * model.srtt + 4 * model.rttvar));
}

function deadAfter(patience: number): number {
  return Math.max(DEAD_MIN, DEAD_FACTOR * patience);
}
