import { randomBytes } from "node:crypto";
import type { Logger } from "@hawser/gateway-kit";
import { type PathRecord, SessionDriver, type SubflowChange } from "@hawser/gateway-kit";
import { MemoryBudget, type SessionTotals, type StreamRefusal } from "@hawser/multipath-engine";
import type { Pairing } from "@hawser/shared-protocol";
import {
  CloseCode,
  codeName,
  type EgressFamilies,
  OLDEST_VERSION,
  PROTOCOL_VERSION,
  SESSION_ID_LENGTH,
} from "@hawser/shared-protocol";
import { type EventLog, FlowFailures, PathEvents } from "@hawser/status-api";

export interface SessionKeeperEvents {
  onSubflow(change: SubflowChange): void;
  /** The session has ended, and a new one has replaced it. */
  onNewSession(): void;
  /**
   * The remote gateway has told for the first time by which address families it reaches the Internet, or the families
   * have changed.
   */
  onEgress(families: EgressFamilies): void;
  /** The session has done some work, so the lines may have carried bytes. */
  onTurn(): void;
}

/**
 * Keeps one session at all times. A session ends when the remote gateway was restarted or was away for too long; a new
 * session then replaces it.
 */
export class SessionKeeper {
  #pairing: Pairing;
  readonly memory: MemoryBudget;
  readonly #logger: Logger;
  readonly #log: EventLog;
  readonly #pathEvents: PathEvents;
  readonly #failures: FlowFailures;
  readonly #events: SessionKeeperEvents;
  #driver: SessionDriver;
  #id: Buffer = Buffer.alloc(0);
  #established = false;
  #version = PROTOCOL_VERSION;
  #nextSubflow = 0;
  #stopped = false;
  readonly #paths = new Map<string, PathRecord>();
  /** The totals of all earlier sessions. */
  readonly totalsBefore: SessionTotals;

  constructor(
    pairing: Pairing,
    memoryCap: number,
    logger: Logger,
    log: EventLog,
    events: SessionKeeperEvents,
  ) {
    this.#pairing = pairing;
    this.memory = new MemoryBudget(memoryCap);
    this.#logger = logger;
    this.#log = log;
    this.#pathEvents = new PathEvents(log, pairing.name, "uploads");
    this.#failures = new FlowFailures(log, pairing.name);
    this.#events = events;
    this.#driver = this.#create();
    this.totalsBefore = { ...this.#driver.session.totals };
  }

  get pairing(): Pairing {
    return this.#pairing;
  }

  /** Dials with this pairing from now on: the secret was rotated, or the remote gateway has other addresses. */
  handlePairing(pairing: Pairing): void {
    this.#pairing = pairing;
  }

  get driver(): SessionDriver {
    return this.#driver;
  }

  /** The session's name: 16 random bytes. */
  get id(): Buffer {
    return this.#id;
  }

  /** A subflow has joined this session before: HELLO says "resume". */
  get established(): boolean {
    return this.#established;
  }

  /** The version of the protocol that HELLO names. */
  get version(): number {
    return this.#version;
  }

  /**
   * The remote gateway runs an older release and has refused the version in HELLO. The next HELLO names the oldest
   * version.
   */
  handleOlderRemote(driver: SessionDriver): void {
    if (driver === this.#driver) this.#version = OLDEST_VERSION;
  }

  /** The number of the session's next subflow, for its HELLO. */
  takeSubflow(): number {
    return this.#nextSubflow++;
  }

  handleJoined(): void {
    if (!this.#established)
      this.#log.add("session-opened", "a session was opened", { peer: this.pairing.name });
    this.#established = true;
  }

  /**
   * The remote gateway does not know the session that HELLO named, since it was restarted. The session's flows are
   * lost. An answer about an earlier session is ignored.
   */
  handleUnknown(driver: SessionDriver): void {
    if (driver === this.#driver && this.#established)
      this.#driver.close(CloseCode.unknownSession, "the remote gateway does not know the session");
  }

  /** A flow was refused for want of room. */
  noteRefused(reason: StreamRefusal | "share"): void {
    this.#failures.noteRefused(reason);
  }

  /** Ends the session, and starts no other. */
  stop(code: CloseCode, reason: string): void {
    this.#stopped = true;
    this.#driver.close(code, reason);
  }

  #create(): SessionDriver {
    this.#id = randomBytes(SESSION_ID_LENGTH);
    this.#established = false;
    // The remote gateway may run another release by now.
    this.#version = PROTOCOL_VERSION;
    this.#nextSubflow = 0;
    const driver: SessionDriver = new SessionDriver({
      name: this.#id.toString("hex", 0, 4),
      side: "local",
      memory: this.memory,
      paths: this.#paths,
      pathObserver: this.#pathEvents,
      onFlowFailed: (code) => this.#failures.note(code),
      onBusy: () => this.#events.onTurn(),
      onSubflow: (change) => {
        if (driver === this.#driver) this.#events.onSubflow(change);
      },
      onEgress: (families) => {
        if (driver === this.#driver) this.#events.onEgress(families);
      },
      onClosed: (code, reason) => this.#handleClosed(code, reason),
    });
    return driver;
  }

  #handleClosed(code: CloseCode, reason: string): void {
    if (this.#stopped) return;
    const totals = this.#driver.session.totals;
    for (const key of Object.keys(totals) as (keyof SessionTotals)[]) this.totalsBefore[key] += totals[key];
    this.#logger.warn({ code: codeName(CloseCode, code), reason }, "the session ended; starting another");
    this.#log.add("session-closed", `the session ended: ${reason}`, { peer: this.pairing.name });
    this.#driver = this.#create();
    this.#events.onNewSession();
  }
}
