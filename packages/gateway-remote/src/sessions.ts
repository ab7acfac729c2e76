import type { TLSSocket } from "node:tls";
import type { Logger } from "@hawser/gateway-kit";
import {
  childLogger,
  type LimitedLog,
  type Refusals,
  SessionDriver,
  type SubflowChange,
} from "@hawser/gateway-kit";
import {
  CloseCode,
  codeName,
  type EgressFamilies,
  type HelloFrame,
  MAX_SUBFLOWS,
  parseName,
  StreamCode,
} from "@hawser/shared-protocol";
import { EventLog, FlowFailures, PathEvents } from "@hawser/status-api";
import { awaitHello, commonVersion, refuse, welcome } from "@hawser/subflow-transport";
import type { PeerAccesses } from "./authorization/peer-access.ts";
import { CpuShares } from "./cpu-shares.ts";
import { Egress, type FlowRefusal } from "./egress.ts";
import type { PeerKey } from "./peer-keys.ts";
import { MORE_PATHS, Places } from "./places.ts";
import type { WayOut } from "./way-out.ts";

/** The most sessions of one peer at a time. */
const MAX_SESSIONS_PER_PEER = 3;
/**
 * The most subflows of all of a peer's sessions: those of two full sessions. A gateway that was restarted has two until
 * the loss of the first one's subflows is noticed.
 */
const MAX_SUBFLOWS_PER_PEER = 2 * (MAX_SUBFLOWS + MORE_PATHS);

/** The CLOSE that answers a connection which may not join. */
type JoinRefusal = readonly [code: CloseCode, reason: string];
const REMOVED: JoinRefusal = [CloseCode.peerRemoved, "this peer is no longer admitted"];

/** One local gateway's session, as the remote sees it. */
export interface RemoteSession {
  readonly peer: string;
  /** The key that admits the session: the peer's present key once a subflow has joined with it. */
  key: PeerKey;
  readonly id: string;
  readonly driver: SessionDriver;
  readonly egress: Egress;
  readonly places: Places;
  readonly logger: Logger;
}

/** Finds the session that a subflow belongs to, by its peer's authenticated name and the session's name in HELLO. */
export class Sessions {
  readonly #accesses: PeerAccesses;
  readonly #wayOut: WayOut;
  readonly #refusals: Refusals;
  readonly #logger: Logger;
  readonly events = new EventLog();
  readonly #onJoined: (key: PeerKey) => void;
  readonly #sessions = new Map<string, RemoteSession>();
  readonly #cpu = new CpuShares((peer, isReading) => this.#setReading(peer, isReading));
  #draining = false;

  /** `onJoined` is called when a subflow has joined with this key. */
  constructor(
    accesses: PeerAccesses,
    wayOut: WayOut,
    refusals: Refusals,
    logger: Logger,
    onJoined: (key: PeerKey) => void,
  ) {
    this.#accesses = accesses;
    this.#wayOut = wayOut;
    this.#refusals = refusals;
    this.#logger = logger;
    this.#onJoined = onJoined;
  }

  get all(): IterableIterator<RemoteSession> {
    return this.#sessions.values();
  }

  get isDraining(): boolean {
    return this.#draining;
  }

  /** Refuses new sessions and flows from now on. */
  drain(): void {
    this.#draining = true;
  }

  /**
   * Lets an authenticated connection join if its key is still admitted when HELLO arrives. Resolves with false when the
   * connection was refused.
   * @throws JoinError; the connection is closed.
   */
  async join(socket: TLSSocket, withinMs: number, admit: () => PeerKey | undefined): Promise<boolean> {
    const hello = await awaitHello(socket, withinMs);
    const key = admit();
    const refusal = key ? this.#joinWith(key, hello, socket) : REMOVED;
    if (refusal) refuse(socket, ...refusal);
    return refusal === undefined;
  }

  /** Adds the subflow to its session, or says why the subflow is refused. */
  #joinWith(key: PeerKey, hello: HelloFrame, socket: TLSSocket): JoinRefusal | undefined {
    const { joins } = this.#accesses.of(key.peer);
    if (!joins.take(performance.now())) return [CloseCode.protocol, "this peer joins too often"];
    const name = parseName(hello.path);
    if (!name.ok) return [CloseCode.protocol, `the path's name ${name.problem}`];
    const session = this.#find(key, hello);
    if (typeof session === "string") return [CloseCode.unknownSession, session];
    const why = session.places.whyNone(hello, session.driver.connections);
    if (why !== undefined) return [CloseCode.protocol, why];
    this.#boundSubflows(session);
    this.#addSubflow(session, key, hello, socket);
    return undefined;
  }

  /** Closes the oldest of the peer's other sessions when the peer has too many subflows in all. */
  #boundSubflows(session: RemoteSession): void {
    const own = this.#of(session.peer);
    const count = own.reduce((sum, { driver }) => sum + driver.connections.size, 0);
    if (count < MAX_SUBFLOWS_PER_PEER) return;
    const oldest = own.find((each) => each !== session);
    oldest?.driver.close(CloseCode.done, "its gateway has too many subflows in other sessions");
  }

  /** The peer's open sessions, the oldest first. */
  #of(peer: string): RemoteSession[] {
    return [...this.#sessions.values()].filter(
      (session) => session.peer === peer && !session.driver.session.isClosed,
    );
  }

  #addSubflow(session: RemoteSession, key: PeerKey, hello: HelloFrame, socket: TLSSocket): void {
    const before = session.places.before(hello);
    const version = commonVersion(hello);
    welcome(socket, version);
    const connection = before && session.driver.connections.get(before.subflow);
    if (before)
      session.driver.closeSubflow(before.subflow, CloseCode.unresponsive, "its line was dialled anew");
    const { subflow: id, path, role, policy } = hello;
    session.places.take(hello, key, session.driver.connections);
    // The home has replaced the subflow on purpose when its key has changed (a rotation) or was used for long enough.
    // Otherwise the subflow was lost, and only the home has noticed.
    const isMeant = before?.key.psk.equals(key.psk) === false || connection?.keyUse.isHalfSpent;
    const replaces = isMeant ? before?.subflow : undefined;
    session.driver.addSubflow(socket, { id, path, role, policy, version, replaces }, Buffer.alloc(0));
    if (key.until === undefined) session.key = key;
    this.#onJoined(key);
  }

  /** Returns the known session or a new one, or says why there is none. */
  #find(key: PeerKey, hello: HelloFrame): RemoteSession | string {
    const { peer } = key;
    const id = Buffer.from(hello.session).toString("hex");
    const known = this.#sessions.get(`${peer} ${id}`);
    // A session that has just ended stays in the list until the next turn.
    if (known && !known.driver.session.isClosed) return known;
    if (hello.resume)
      return "this gateway does not know the session (it was restarted, or the session ended)";
    if (this.#draining) return "this gateway is shutting down";
    this.#makeRoom(peer);
    return this.#create(key, id);
  }

  /**
   * Ends sessions of the peer before it begins another. A local gateway that was restarted does not come back to its
   * old session, so the sessions without subflows end. The oldest others end when there are too many: a gateway needs
   * one session, and a second for a moment.
   */
  #makeRoom(peer: string): void {
    const own = this.#of(peer);
    const abandoned = own.filter(({ driver }) => driver.connections.size === 0);
    const surplus = own.filter((session) => !abandoned.includes(session)).slice(0, 1 - MAX_SESSIONS_PER_PEER);
    for (const { driver } of [...abandoned, ...surplus])
      driver.close(CloseCode.done, "its gateway began another session");
  }

  #create(key: PeerKey, id: string): RemoteSession {
    const { peer } = key;
    const name = id.slice(0, 8);
    const failures = new FlowFailures(this.events, peer);
    const logger = childLogger(this.#logger, { peer, session: name });
    const access = this.#accesses.of(peer);
    const log = access.sessionLog;
    const noteRefused = (reason: FlowRefusal): void => {
      failures.noteRefused(reason);
      const fields = { peer, session: name };
      this.#refusals.note({ listener: "flow", reason }, "warn", fields, "refused a flow: no room for it");
    };
    const driver = new SessionDriver({
      name,
      side: "remote",
      memory: access.memory,
      pathObserver: new PathEvents(this.events, peer, "downloads"),
      onOpen: (stream, request) => {
        if (this.#draining) driver.reset(stream, StreamCode.shutdown);
        else session.egress.open(stream, request);
      },
      // A flow that is refused for want of room is counted by `noteRefused`, with the limit that it met.
      onFlowFailed: (code) => code !== StreamCode.overloaded && failures.note(code),
      onRefused: (reason) => noteRefused(reason),
      onSubflow: (change) => logSubflow(log, name, change),
      onBusy: (ms) => this.#cpu.note(peer, ms),
      onClosed: (code, reason) => {
        this.#sessions.delete(`${peer} ${id}`);
        const fields = { session: name, code: codeName(CloseCode, code), reason };
        log.write("session closed", "info", fields, "session closed");
        this.events.add("session-closed", `the session ended: ${reason}`, { peer });
      },
    });
    const session = {
      peer,
      key,
      id,
      driver,
      egress: new Egress(driver, access, this.#wayOut, name, noteRefused),
      places: new Places(),
      logger,
    };
    this.#sessions.set(`${peer} ${id}`, session);
    driver.setEgress(this.#wayOut.families);
    log.write("session opened", "info", { session: name }, "session opened");
    this.events.add("session-opened", "a session was opened", { peer });
    return session;
  }

  /**
   * Stops or resumes the reading of a peer's connections: processor time is short, and this peer has had more than its
   * share.
   */
  #setReading(peer: string, isReading: boolean): void {
    for (const session of this.#sessions.values())
      if (session.peer === peer) session.driver.setReading(isReading);
  }

  /** Ends every session whose key is no longer admitted. */
  retain(isAdmitted: (key: PeerKey) => boolean): void {
    for (const { key, driver } of this.#sessions.values()) {
      if (!isAdmitted(key)) driver.close(...REMOVED);
    }
  }

  /** Resets the flows to destinations that the rules no longer allow. */
  enforceRules(): void {
    for (const { egress } of this.#sessions.values()) egress.enforceRules();
  }

  /** Tells every home that the way out has changed. */
  handleWayOut(families: EgressFamilies): void {
    for (const { driver } of this.#sessions.values()) driver.setEgress(families);
  }

  closeAll(code: CloseCode, reason: string): void {
    for (const { driver } of this.#sessions.values()) driver.close(code, reason);
  }
}

/** A subflow that was replaced on purpose is logged as information, not as a warning. */
function logSubflow(log: LimitedLog, session: string, change: SubflowChange): void {
  const { id, path, state, reason, isMeant } = change;
  const level = (state === "lost" || state === "dead") && !isMeant ? "warn" : "info";
  log.write(`subflow ${state}`, level, { session, subflow: id, path, state, reason }, "subflow changed");
}
