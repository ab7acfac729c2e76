import type { Subflow } from "../../engine/index.ts";
import type { PathRole } from "../../wire/index.ts";
import type { PathState, PathStatus } from "../status/types.ts";
import { RateMeter } from "./rate-meter.ts";

/** Bytes on the line, as IP packets. */
export interface LineBytes {
  readonly sent: number;
  readonly received: number;
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
  #state: PathState = "connecting";
  #since = new Date();

  constructor(name: string, role: PathRole) {
    this.name = name;
    this.#role = role;
    this.noteState();
  }

  /** The role in force. */
  get role(): PathRole {
    return this.#role;
  }
  get lastError(): string | undefined {
    return this.#lastError;
  }

  /** The best of its subflows' states. */
  get state(): PathState {
    if (this.#role === "disabled") return "disabled";
    const states = new Set([...this.#live.keys()].map((subflow) => subflow.liveness.state));
    for (const state of ["up", "probation", "suspect"] as const) if (states.has(state)) return state;
    return this.#lastError === undefined ? "connecting" : "down";
  }

  setRole(role: PathRole): void {
    this.#role = role;
    this.noteState();
  }

  /** `line` counts on while the subflow lives. */
  handleJoined(subflow: Subflow, line: LineBytes): void {
    this.#live.set(subflow, line);
    this.#lastError = undefined;
    this.noteState();
  }

  handleLost(subflow: Subflow, reason: string): void {
    const line = this.#live.get(subflow);
    if (!line) return;
    this.#live.delete(subflow);
    this.#retiredLine.sent += line.sent;
    this.#retiredLine.received += line.received;
    this.#retired.sent += subflow.ledger.sent;
    this.#retired.received += subflow.receivedBytes;
    this.#retired.reinjected += subflow.reinjectedBytes;
    this.handleFailure(reason);
  }

  /** The path was lost, or could not be dialled. */
  handleFailure(reason: string): void {
    this.#lastError = reason;
    this.noteState();
  }

  /** To be called when a subflow's state may have changed: remembers since when the path is in its state. */
  noteState(): void {
    const state = this.state;
    if (state === this.#state) return;
    this.#state = state;
    this.#since = new Date();
  }

  /** To be called about once a second, for the rates. */
  sample(now: number): void {
    const { sent, received } = this.#bytes();
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

  status(): PathStatus {
    this.noteState();
    const bytes = this.#bytes();
    const rtts = [...this.#live.keys()].map(({ model }) => model).filter(({ srtt }) => srtt > 0);
    return {
      name: this.name,
      state: this.#state,
      role: this.#role,
      subflows: this.#live.size,
      rttMs: rtts.length === 0 ? null : round(Math.min(...rtts.map(({ srtt }) => srtt))),
      minRttMs: rtts.length === 0 ? null : round(Math.min(...rtts.map(({ minRtt }) => minRtt))),
      sendRateBps: this.#sendRate.bps,
      receiveRateBps: this.#receiveRate.bps,
      unackedBytes: [...this.#live.keys()].reduce((sum, subflow) => sum + subflow.unackedBytes, 0),
      sentBytes: bytes.sent,
      receivedBytes: bytes.received,
      reinjectedBytes: bytes.reinjected,
      lastError: this.#lastError ?? null,
      since: this.#since.toISOString(),
    };
  }

  #bytes(): { sent: number; received: number; reinjected: number } {
    const bytes = { ...this.#retired };
    for (const subflow of this.#live.keys()) {
      bytes.sent += subflow.ledger.sent;
      bytes.received += subflow.receivedBytes;
      bytes.reinjected += subflow.reinjectedBytes;
    }
    return bytes;
  }
}

function round(milliseconds: number): number {
  return Math.round(milliseconds * 100) / 100;
}
