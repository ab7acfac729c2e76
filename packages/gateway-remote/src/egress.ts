import type { Socket } from "node:net";
import type { StreamRequest } from "@hawser/shared-protocol/engine";
import {
  dialApplication,
  Flow,
  FlowSet,
  type Logger,
  type SessionDriver,
} from "@hawser/shared-protocol/node";
import { StreamCode } from "@hawser/shared-protocol/wire";

/** How long a destination may take to answer (dante's `timeout.connect`), milliseconds. */
const CONNECT_TIMEOUT_MS = 30_000;

/** What connect(2) and getaddrinfo(3) say, as SPEC.md section 5 has it. */
const CODES: Readonly<Record<string, StreamCode>> = {
  ECONNREFUSED: StreamCode.refused,
  ECONNRESET: StreamCode.refused,
  EHOSTUNREACH: StreamCode.hostUnreachable,
  EHOSTDOWN: StreamCode.hostUnreachable,
  ENETUNREACH: StreamCode.networkUnreachable,
  EADDRNOTAVAIL: StreamCode.networkUnreachable,
  ETIMEDOUT: StreamCode.timeout,
  ENOTFOUND: StreamCode.nameNotFound,
  EAI_AGAIN: StreamCode.nameNotFound,
  EACCES: StreamCode.notAllowed,
  EPERM: StreamCode.notAllowed,
  EMFILE: StreamCode.overloaded,
  ENFILE: StreamCode.overloaded,
  ENOBUFS: StreamCode.overloaded,
  ENOMEM: StreamCode.overloaded,
};

/** Dials the destinations of one session's flows. */
export class Egress {
  readonly #driver: SessionDriver;
  readonly #logger: Logger;
  readonly flows = new FlowSet();

  constructor(driver: SessionDriver, logger: Logger) {
    this.#driver = driver;
    this.#logger = logger;
  }

  /** The peer asks for a flow. Its first bytes may be here already; they wait in the stream until the dial is done. */
  open(stream: number, request: StreamRequest): void {
    const { host, port } = request.destination;
    if (!isHost(host) || port === 0) return this.#driver.reset(stream, StreamCode.nameNotFound);
    const socket = dialApplication({ host, port }, (bytes, release) => flow.handleBytes(bytes, release));
    const flow = new EgressFlow(
      this.#driver,
      stream,
      request,
      socket,
      () => this.flows.delete(flow),
      this.#logger,
    );
    this.flows.add(flow);
    this.#driver.adopt(stream, flow);
  }
}

/** A flow whose socket is being dialled at first: failures until then are the dial's, with codes of their own. */
class EgressFlow extends Flow {
  #dialled = false;

  constructor(
    driver: SessionDriver,
    stream: number,
    request: StreamRequest,
    socket: Socket,
    onOver: () => void,
    logger: Logger,
  ) {
    super(driver, stream, request, socket, { onOver });
    const timer = setTimeout(() => this.abort(StreamCode.timeout), CONNECT_TIMEOUT_MS);
    socket.prependListener("error", (error: NodeJS.ErrnoException) => {
      if (this.#dialled) return;
      logger.info({ flow: stream, to: request.destination, err: error }, "could not reach the destination");
      this.abort(codeOf(error));
    });
    socket.once("close", () => clearTimeout(timer));
    socket.once("connect", () => {
      clearTimeout(timer);
      this.#dialled = true;
      driver.accept(stream, { host: socket.localAddress ?? "", port: socket.localPort ?? 0 });
      super.handleReadable();
    });
  }

  override handleReadable(): void {
    if (this.#dialled) super.handleReadable();
  }
}

/** What Node would throw at (control characters), or take for localhost (nothing), is no name. */
export function isHost(host: string): boolean {
  return /^[\x21-\x7e\u00a1-\uffff]+$/.test(host);
}

/** With several addresses of a name tried in vain, the last one's failure counts. */
function codeOf(error: NodeJS.ErrnoException): StreamCode {
  const last = error instanceof AggregateError ? (error.errors.at(-1) as NodeJS.ErrnoException) : error;
  return CODES[last?.code ?? ""] ?? StreamCode.hostUnreachable;
}
