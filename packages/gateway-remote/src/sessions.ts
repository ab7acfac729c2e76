import type { TLSSocket } from "node:tls";
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
  readonly #memoryCap: number;
  readonly #logger: Logger;
  readonly #sessions = new Map<string, RemoteSession>();
  #draining = false;

  constructor(memoryCap: number, logger: Logger) {
    this.#memoryCap = memoryCap;
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
  async join(socket: TLSSocket, peer: string, isAdmitted: () => boolean): Promise<void> {
    const hello = await awaitHello(socket);
    if (!isAdmitted()) return refuse(socket, CloseCode.peerRemoved, "this peer is no longer admitted");
    const session = this.#find(peer, hello);
    if (typeof session === "string") return refuse(socket, CloseCode.unknownSession, session);
    welcome(socket);
    const place = `${hello.path} ${hello.index}`;
    const before = session.places.get(place);
    if (before !== undefined)
      session.driver.closeSubflow(before, CloseCode.unresponsive, "its line was dialled anew");
    session.places.set(place, session.driver.addSubflow(socket, hello.path, hello.role, Buffer.alloc(0)));
  }

  /** The session, a new one, or why there is none. */
  #find(peer: string, hello: HelloFrame): RemoteSession | string {
    const id = Buffer.from(hello.session).toString("hex");
    const known = this.#sessions.get(`${peer} ${id}`);
    if (known) return known;
    if (hello.resume)
      return "this gateway does not know the session (it was restarted, or the session ended)";
    if (this.#draining) return "this gateway is shutting down";
    this.#dropAbandoned(peer);
    return this.#create(peer, id);
  }

  /** A local gateway that was restarted does not come back to the session it had. */
  #dropAbandoned(peer: string): void {
    for (const session of this.#sessions.values()) {
      if (session.peer !== peer || session.driver.connections.size > 0) continue;
      session.driver.close(CloseCode.done, "its gateway began another session");
    }
  }

  #create(peer: string, id: string): RemoteSession {
    const logger = childLogger(this.#logger, { peer, session: id.slice(0, 8) });
    const driver = new SessionDriver({
      side: "remote",
      memoryCap: this.#memoryCap,
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
