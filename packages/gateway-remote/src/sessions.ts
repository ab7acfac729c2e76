import type { TLSSocket } from "node:tls";
import {
  awaitHello,
  childLogger,
  commonVersion,
  EventLog,
  FlowFailures,
  type Logger,
  PathEvents,
  type Refusals,
  refuse,
  SessionDriver,
  type SubflowChange,
  welcome,
} from "@hawser/shared-protocol/node";
import {
  CloseCode,
  codeName,
  type EgressFamilies,
  type HelloFrame,
  StreamCode,
} from "@hawser/shared-protocol/wire";
import type { PeerAccesses } from "./authorization/peer-access.ts";
import { Egress, type FlowRefusal } from "./egress.ts";
import type { PeerKey } from "./peer-keys.ts";
import type { WayOut } from "./way-out.ts";

/** Sessions that one peer may have at a time. */
const MAX_SESSIONS_PER_PEER = 3;
/** Subflows of one session by path and index: a home has a few lines with up to 16 each. */
const MAX_PLACES = 256;

/** One local gateway's session, as the remote sees it. */
export interface RemoteSession {
  readonly peer: string;
  /** What vouches for it: the peer's present key once a subflow has joined with that. */
  key: PeerKey;
  readonly id: string;
  readonly driver: SessionDriver;
  readonly egress: Egress;
  /** Subflow numbers by path and index: a subflow dialled again takes its predecessor's place. */
  readonly places: Map<string, { readonly subflow: number; readonly key: PeerKey }>;
  readonly logger: Logger;
}

/** Finds the session that a subflow belongs to, by the authenticated name of its peer and the number in HELLO. */
export class Sessions {
  readonly #accesses: PeerAccesses;
  readonly #wayOut: WayOut;
  readonly #refusals: Refusals;
  readonly #logger: Logger;
  readonly events = new EventLog();
  readonly #onJoined: (key: PeerKey) => void;
  readonly #sessions = new Map<string, RemoteSession>();
  #draining = false;

  /** `onJoined`: a subflow has joined with this key. */
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

  /** No new sessions and flows from now on. */
  drain(): void {
    this.#draining = true;
  }

  /**
   * Lets an authenticated connection join, if its key is admitted still when its HELLO is here.
   * @throws JoinError; the connection is closed.
   */
  async join(socket: TLSSocket, withinMs: number, admit: () => PeerKey | undefined): Promise<void> {
    const hello = await awaitHello(socket, withinMs);
    const key = admit();
    if (!key) return refuse(socket, CloseCode.peerRemoved, "this peer is no longer admitted");
    const session = this.#find(key, hello);
    if (typeof session === "string") return refuse(socket, CloseCode.unknownSession, session);
    const place = `${hello.path} ${hello.index}`;
    if (!session.places.has(place) && session.places.size >= MAX_PLACES)
      return refuse(socket, CloseCode.protocol, "too many subflows");
    if (session.driver.connections.has(hello.subflow))
      return refuse(socket, CloseCode.protocol, `subflow ${hello.subflow} has joined already`);
    const before = session.places.get(place);
    if (before && before.subflow > hello.subflow)
      return refuse(socket, CloseCode.protocol, `subflow ${before.subflow} was dialled later`);
    const version = commonVersion(hello);
    welcome(socket, version);
    if (before)
      session.driver.closeSubflow(before.subflow, CloseCode.unresponsive, "its line was dialled anew");
    const { subflow: id, path, role, policy } = hello;
    session.places.set(place, { subflow: id, key });
    // With another key it is a rotation. Otherwise the one before was lost, in a way that only the other end has noticed.
    const replaces = before?.key.psk.equals(key.psk) === false ? before.subflow : undefined;
    session.driver.addSubflow(socket, { id, path, role, policy, version, replaces }, Buffer.alloc(0));
    if (key.until === undefined) session.key = key;
    this.#onJoined(key);
  }

  /** The session, a new one, or why there is none. */
  #find(key: PeerKey, hello: HelloFrame): RemoteSession | string {
    const { peer } = key;
    const id = Buffer.from(hello.session).toString("hex");
    const known = this.#sessions.get(`${peer} ${id}`);
    // One that has just ended is in the list until the next turn.
    if (known && !known.driver.session.isClosed) return known;
    if (hello.resume)
      return "this gateway does not know the session (it was restarted, or the session ended)";
    if (this.#draining) return "this gateway is shutting down";
    this.#makeRoom(peer);
    return this.#create(key, id);
  }

  /**
   * A local gateway that was restarted does not come back to the session it had: those without subflows go. So do the
   * oldest when there are too many; a gateway needs one, and another for a moment.
   */
  #makeRoom(peer: string): void {
    const own = [...this.#sessions.values()].filter((session) => session.peer === peer);
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
      // Who refuses a flow for want of room says what there was no room for.
      onFlowFailed: (code) => code !== StreamCode.overloaded && failures.note(code),
      onRefused: (reason) => noteRefused(reason),
      onSubflow: (change) => logSubflow(logger, change),
      onClosed: (code, reason) => {
        this.#sessions.delete(`${peer} ${id}`);
        logger.info({ code: codeName(CloseCode, code), reason }, "session closed");
        this.events.add("session-closed", `the session ended: ${reason}`, { peer });
      },
    });
    const session = {
      peer,
      key,
      id,
      driver,
      egress: new Egress(driver, access, this.#wayOut, name, noteRefused),
      places: new Map(),
      logger,
    };
    this.#sessions.set(`${peer} ${id}`, session);
    driver.setEgress(this.#wayOut.families);
    logger.info("session opened");
    this.events.add("session-opened", "a session was opened", { peer });
    return session;
  }

  /** Ends every session whose key is no longer admitted. */
  retain(isAdmitted: (key: PeerKey) => boolean): void {
    for (const { key, driver } of this.#sessions.values()) {
      if (!isAdmitted(key)) driver.close(CloseCode.peerRemoved, "this peer is no longer admitted");
    }
  }

  /** Resets flows to where their peers may no longer go. */
  enforceRules(): void {
    for (const { egress } of this.#sessions.values()) egress.enforceRules();
  }

  /** The way out has changed: every home is told. */
  handleWayOut(families: EgressFamilies): void {
    for (const { driver } of this.#sessions.values()) driver.setEgress(families);
  }

  closeAll(code: CloseCode, reason: string): void {
    for (const { driver } of this.#sessions.values()) driver.close(code, reason);
  }
}

/** What is meant is no news. */
function logSubflow(logger: Logger, { id, path, state, reason, isMeant }: SubflowChange): void {
  const level = (state === "lost" || state === "dead") && !isMeant ? "warn" : "info";
  logger[level]({ subflow: id, path, state, reason }, "subflow changed");
}
