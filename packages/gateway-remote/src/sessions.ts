import type { TLSSocket } from "node:tls";
import { MemoryBudget } from "@hawser/shared-protocol/engine";
import {
  awaitHello,
  childLogger,
  type Logger,
  refuse,
  SessionDriver,
  type SubflowChange,
  welcome,
} from "@hawser/shared-protocol/node";
import { CloseCode, codeName, type HelloFrame, StreamCode } from "@hawser/shared-protocol/wire";
import { Egress } from "./egress.ts";

/** Sessions that one peer may have at a time. */
const MAX_SESSIONS_PER_PEER = 3;
/** Subflows of one session by path and index: a home has a few lines with up to 16 each. */
const MAX_PLACES = 256;

/** One local gateway's session, as the remote sees it. */
export interface RemoteSession {
  readonly peer: string;
  readonly id: string;
  readonly driver: SessionDriver;
  readonly egress: Egress;
  /** Subflow numbers by path and index: a subflow dialled again takes its predecessor's place. */
  readonly places: Map<string, number>;
  readonly logger: Logger;
}

/** Finds the session that a subflow belongs to, by the authenticated name of its peer and the number in HELLO. */
export class Sessions {
  readonly #memory: MemoryBudget;
  readonly #logger: Logger;
  readonly #sessions = new Map<string, RemoteSession>();
  #draining = false;

  constructor(memoryCap: number, logger: Logger) {
    this.#memory = new MemoryBudget(memoryCap);
    this.#logger = logger;
  }

  get all(): IterableIterator<RemoteSession> {
    return this.#sessions.values();
  }

  /** No new sessions and flows from now on. */
  drain(): void {
    this.#draining = true;
  }

  /**
   * Lets an authenticated connection join, if the peer is admitted still when its HELLO is here.
   * @throws JoinError; the connection is closed.
   */
  async join(socket: TLSSocket, peer: string, withinMs: number, isAdmitted: () => boolean): Promise<void> {
    const hello = await awaitHello(socket, withinMs);
    if (!isAdmitted()) return refuse(socket, CloseCode.peerRemoved, "this peer is no longer admitted");
    const session = this.#find(peer, hello);
    if (typeof session === "string") return refuse(socket, CloseCode.unknownSession, session);
    const place = `${hello.path} ${hello.index}`;
    if (!session.places.has(place) && session.places.size >= MAX_PLACES)
      return refuse(socket, CloseCode.protocol, "too many subflows");
    if (session.driver.connections.has(hello.subflow))
      return refuse(socket, CloseCode.protocol, `subflow ${hello.subflow} has joined already`);
    welcome(socket);
    const before = session.places.get(place);
    if (before !== undefined)
      session.driver.closeSubflow(before, CloseCode.unresponsive, "its line was dialled anew");
    const { subflow: id, path, role, policy } = hello;
    session.places.set(place, id);
    session.driver.addSubflow(socket, { id, path, role, policy }, Buffer.alloc(0));
  }

  /** The session, a new one, or why there is none. */
  #find(peer: string, hello: HelloFrame): RemoteSession | string {
    const id = Buffer.from(hello.session).toString("hex");
    const known = this.#sessions.get(`${peer} ${id}`);
    // One that has just ended is in the list until the next turn.
    if (known && !known.driver.session.isClosed) return known;
    if (hello.resume)
      return "this gateway does not know the session (it was restarted, or the session ended)";
    if (this.#draining) return "this gateway is shutting down";
    this.#makeRoom(peer);
    return this.#create(peer, id);
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

  #create(peer: string, id: string): RemoteSession {
    const logger = childLogger(this.#logger, { peer, session: id.slice(0, 8) });
    const driver = new SessionDriver({
      side: "remote",
      memory: this.#memory,
      onOpen: (stream, request) => {
        if (this.#draining) driver.reset(stream, StreamCode.shutdown);
        else session.egress.open(stream, request);
      },
      onSubflow: (change) => logSubflow(logger, change),
      onClosed: (code, reason) => {
        this.#sessions.delete(`${peer} ${id}`);
        logger.info({ code: codeName(CloseCode, code), reason }, "session closed");
      },
    });
    const session = { peer, id, driver, egress: new Egress(driver, logger), places: new Map(), logger };
    this.#sessions.set(`${peer} ${id}`, session);
    logger.info("session opened");
    return session;
  }

  /** Ends every session of peers that are no longer admitted. */
  retain(isAdmitted: (peer: string) => boolean): void {
    for (const { peer, driver } of this.#sessions.values()) {
      if (!isAdmitted(peer)) driver.close(CloseCode.peerRemoved, "this peer is no longer admitted");
    }
  }

  closeAll(code: CloseCode, reason: string): void {
    for (const { driver } of this.#sessions.values()) driver.close(code, reason);
  }
}

function logSubflow(logger: Logger, { id, path, state, reason }: SubflowChange): void {
  const level = state === "lost" || state === "dead" ? "warn" : "info";
  logger[level]({ subflow: id, path, state, reason }, "subflow changed");
}
