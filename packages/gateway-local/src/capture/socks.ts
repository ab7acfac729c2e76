import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import type { Logger } from "@hawser/gateway-kit";
import {
  Admission,
  Flow,
  type Listener,
  listenAll,
  type Refusals,
  turnAway,
  withinDescriptors,
} from "@hawser/gateway-kit";
import { Secret, StreamCode } from "@hawser/shared-protocol";
import {
  type Authenticate,
  encodeReply,
  SocksErrorCode,
  SocksHandshake,
  SocksReply,
  type SocksStep,
} from "socksv5";
import type { SocksConfig } from "../config.ts";
import type { FlowOpener } from "./flow-opener.ts";

/** How long a client may take until its request is complete, milliseconds (dante's `timeout.negotiate`). */
export const HANDSHAKE_DEADLINE_MS = 30_000;
/** Limits of clients whose request is not complete. All of the machine's own programs are one source. */
const HANDSHAKES = { total: 512, perSource: 256, perSite: 512 };

/** The password of an unknown user is compared with this, so that the answer takes as long as for a known one. */
const NOBODY = Secret.fromBytes(randomBytes(32));

/** The SOCKS reply for each code of SPEC.md, section 5. */
const REPLIES: Readonly<Record<number, SocksReply>> = {
  [StreamCode.refused]: SocksReply.connectionRefused,
  [StreamCode.hostUnreachable]: SocksReply.hostUnreachable,
  [StreamCode.networkUnreachable]: SocksReply.networkUnreachable,
  [StreamCode.timeout]: SocksReply.ttlExpired,
  [StreamCode.nameNotFound]: SocksReply.hostUnreachable,
  [StreamCode.notAllowed]: SocksReply.notAllowed,
};

/** Reasons of refusals in metrics and log: a wrong password, or another protocol. All other faults are "handshake". */
const REASONS: Readonly<Record<string, string>> = {
  [SocksErrorCode.authFailed]: "password",
  [SocksErrorCode.socks4]: "socks4",
  [SocksErrorCode.http]: "http",
  [SocksErrorCode.tls]: "tls",
};

/** The SOCKS5 endpoint. Names are resolved by the remote gateway. */
export class SocksCapture {
  #config: SocksConfig;
  readonly #opener: FlowOpener;
  readonly #refusals: Refusals;
  readonly #logger: Logger;
  readonly #handshakes = new Admission<SocksClient>(withinDescriptors(HANDSHAKES), (client) =>
    client.handleDisplaced(),
  );

  constructor(config: SocksConfig, opener: FlowOpener, refusals: Refusals, logger: Logger) {
    this.#config = config;
    this.#opener = opener;
    this.#refusals = refusals;
    this.#logger = logger;
  }

  /** @throws CodedError LISTEN_FAILED */
  listen(): Promise<Listener[]> {
    const options = { key: "socks.listen", endpoints: this.#config.listen };
    return listenAll(options, this.#logger, (raw) => this.#handleConnection(raw));
  }

  /** Takes over the users of a changed configuration. The addresses of the listeners stay. */
  handleConfig(config: SocksConfig): void {
    this.#config = config;
  }

  #handleConnection(accepted: Socket): void {
    let client: SocksClient | undefined;
    const socket = this.#opener.adopt(
      accepted,
      (bytes, release) => client?.handleBytes(bytes, release) ?? true,
    );
    if (!socket) return;
    client = new SocksClient(socket, this.#opener, this.#refusals, this.#check());
    this.#handshakes.enter(client, socket.remoteAddress);
    client.onHandshakeOver = () => this.#handshakes.leave(client);
  }

  /**
   * Checks a client's user and password; undefined when no password is asked for. The right password is accepted even
   * after many wrong ones from the same address, so that others behind that address cannot lock out its owner.
   */
  #check(): Authenticate | undefined {
    const { users } = this.#config;
    return (
      users &&
      // The comparison for an unknown user takes as long as for a known one.
      ((user, password) => (users.get(user) ?? NOBODY).equals(password) && users.has(user))
    );
  }
}

/**
 * One SOCKS client. It is in `handshake` until its request is complete, then in `dialling` until the remote gateway answers,
 * then it is a plain flow. It can be refused in each of these states.
 */
class SocksClient {
  readonly #socket: Socket;
  readonly #opener: FlowOpener;
  readonly #refusals: Refusals;
  readonly #handshake: SocksHandshake;
  readonly #deadline: NodeJS.Timeout;
  #flow: Flow | undefined;
  #inHandshake = true;
  #opened = false;
  onHandshakeOver: () => void = () => {};

  constructor(
    socket: Socket,
    opener: FlowOpener,
    refusals: Refusals,
    authenticate: Authenticate | undefined,
  ) {
    this.#socket = socket;
    this.#opener = opener;
    this.#refusals = refusals;
    this.#handshake = new SocksHandshake(authenticate ? { authenticate } : {});
    this.#deadline = setTimeout(() => this.#handleDeadline(), HANDSHAKE_DEADLINE_MS);
    socket.on("error", () => this.#endHandshake());
    socket.on("close", () => this.#endHandshake());
    socket.on("end", () => {
      if (!this.#flow) socket.end();
    });
  }

  handleBytes(bytes: Buffer, release: () => void): boolean {
    if (this.#flow) return this.#flow.handleBytes(bytes, release);
    for (const step of this.#handshake.handle(bytes)) this.#take(step);
    release();
    return true;
  }

  #take(step: SocksStep): void {
    switch (step.type) {
      case "send":
        this.#socket.write(step.bytes);
        return;
      case "request":
        this.#endHandshake();
        this.#open(step.request.address, Buffer.from(step.leftover));
        return;
      case "data":
        this.#flow?.handleBytes(Buffer.from(step.bytes));
        return;
      case "close":
        this.#endHandshake();
        this.#note(REASONS[step.error.code] ?? "handshake", { err: step.error });
        turnAway(this.#socket, "");
    }
  }

  /** Refuses this client to make room: too many clients wait, and this one has waited longest. */
  handleDisplaced(): void {
    this.#note("displaced");
    this.#socket.resetAndDestroy();
  }

  #handleDeadline(): void {
    this.#note("deadline");
    this.#socket.destroy();
  }

  #note(reason: string, fields: object = {}): void {
    const from = this.#socket.remoteAddress;
    this.#refusals.note({ listener: "socks", reason }, "info", { from, ...fields }, "SOCKS handshake failed");
  }

  /** Opens the flow, with the data that the client sent without waiting for the reply. */
  #open(destination: { host: string; port: number }, early: Buffer): void {
    const { host, port } = destination;
    const opened = this.#opener.open("socks", { host, port }, this.#socket, {
      onOpened: (bound) => {
        this.#opened = true;
        this.#socket.write(encodeReply(SocksReply.succeeded, bound));
      },
      onReset: (code) => !this.#opened && this.#refuse(code),
    });
    if (!(opened instanceof Flow)) return void this.#refuse(opened);
    this.#flow = opened;
    if (early.length > 0) opened.handleBytes(early);
  }

  #refuse(code: StreamCode): true {
    turnAway(this.#socket, encodeReply(REPLIES[code] ?? SocksReply.generalFailure));
    return true;
  }

  #endHandshake(): void {
    if (!this.#inHandshake) return;
    this.#inHandshake = false;
    clearTimeout(this.#deadline);
    this.onHandshakeOver();
  }
}
