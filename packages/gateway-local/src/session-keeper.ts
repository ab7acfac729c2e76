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
  /** The session ended, and another has taken its place. */
  onNewSession(): void;
  /** The remote gateway has told by which address families it reaches the Internet, or that this has changed. */
  onEgress(families: EgressFamilies): void;
  /** Something may have gone over the lines. */
  onTurn(): void;
}

/** There is always one session; when it ends (the remote was restarted, or away for too long), the next takes over. */
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
  /** Counts of the sessions before the present one. */
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

  /** The secret was rotated, or the remote gateway is reached elsewhere: so it is dialled from now on. */
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

  /** The remote gateway is a release older, and says so to HELLO: the next one names the oldest version. */
  handleOlderRemote(driver: SessionDriver): void {
    if (driver === this.#driver) this.#version = OLDEST_VERSION;
  }

  /** The number of the session's next subflow, for its HELLO. */
  takeSubflow(): number {
    return this.#nextSubflow++;
  }

  /** A subflow has joined. */
  handleJoined(): void {
    if (!this.#established)
      this.#log.add("session-opened", "a session was opened", { peer: this.pairing.name });
    this.#established = true;
  }

  /**
   * The remote did not know the session that HELLO named (it was restarted): its flows are lost. A late answer about an
   * earlier session says nothing of the present one.
   */
  handleUnknown(driver: SessionDriver): void {
    if (driver === this.#driver && this.#established)
      this.#driver.close(CloseCode.unknownSession, "the remote gateway does not know the session");
  }

  /** No room for another flow. */
  noteRefused(reason: StreamRefusal | "share"): void {
    this.#failures.noteRefused(reason);
  }

  /** Ends the session for good. */
  stop(code: CloseCode, reason: string): void {
    this.#stopped = true;
    this.#driver.close(code, reason);
  }

  #create(): SessionDriver {
    this.#id = randomBytes(SESSION_ID_LENGTH);
    this.#established = false;
    // The remote gateway may be another release by now.
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
