import { isIP, isIPv6, type Socket } from "node:net";
import {
  dialApplication,
  Flow,
  FlowSet,
  type SessionDriver,
  SPEEDTEST_HOST,
  speedtestVerb,
} from "@hawser/gateway-kit";
import type { StreamRefusal, StreamRequest } from "@hawser/multipath-engine";
import { codeName, StreamCode } from "@hawser/shared-protocol";
import { allowedLookup, NotAllowedError } from "./authorization/allowed-lookup.ts";
import type { FlowLimit } from "./authorization/flow-limits.ts";
import type { PeerAccess } from "./authorization/peer-access.ts";
import type { EgressPolicy } from "./authorization/policy.ts";
import { SpeedtestStream } from "./speedtest.ts";
import type { WayOut } from "./way-out.ts";

/** How long a destination may take to answer (dante's `timeout.connect`), milliseconds. */
const CONNECT_TIMEOUT_MS = 30_000;

/** The stream code of SPEC.md, section 5, for each error of connect(2) and of the name resolver. */
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

/** The limit that a refused flow met: a limit of the peer, of the session, or of the system. */
export type FlowRefusal = StreamRefusal | FlowLimit | "system";

/** Dials the destinations of one session's flows. */
export class Egress {
  readonly #driver: SessionDriver;
  readonly #access: PeerAccess;
  readonly #wayOut: WayOut;
  readonly #session: string;
  readonly #onRefused: (reason: FlowRefusal) => void;
  readonly #flows = new FlowSet<EgressFlow>();
  /** How many flows rules or limits have forbidden. */
  #refused = 0;

  /** The log calls the session `session`. `onRefused` is called when there was no room for a flow. */
  constructor(
    driver: SessionDriver,
    access: PeerAccess,
    wayOut: WayOut,
    session: string,
    onRefused: (reason: FlowRefusal) => void,
  ) {
    this.#driver = driver;
    this.#access = access;
    this.#wayOut = wayOut;
    this.#session = session;
    this.#onRefused = onRefused;
  }

  get flows(): FlowSet {
    return this.#flows;
  }

  get refused(): number {
    return this.#refused;
  }

  /** The peer asks for a flow. First bytes that have come already wait in the stream until the dial is done. */
  open(stream: number, request: StreamRequest): void {
    const { host, port } = request.destination;
    if (!isHost(host) || port === 0) return this.#driver.reset(stream, StreamCode.nameNotFound);
    const exceeded = this.#access.limits.admit(performance.now());
    if (exceeded !== undefined) {
      this.#refused++;
      this.#onRefused(exceeded);
      return this.#driver.reset(stream, StreamCode.overloaded);
    }
    if (host === SPEEDTEST_HOST && request.kind === "connect") return this.#serveSpeedtest(stream, request);
    const denied = isIP(host) === 0 ? undefined : this.#access.policy.whyDenied(host, port);
    if (denied === undefined) return this.#dial(stream, request);
    this.#access.limits.release();
    this.#refuse(stream, request, StreamCode.notAllowed, denied);
  }

  /** Serves a flow whose destination is the gateway itself. A peer has one test at a time, over all of its sessions. */
  #serveSpeedtest(stream: number, request: StreamRequest): void {
    const { limits, speedtests } = this.#access;
    const verb = speedtestVerb(request.destination.port);
    if (verb === undefined || speedtests.has(verb)) {
      limits.release();
      const why = verb === undefined ? "there is no such speed test" : "another speed test runs";
      return this.#refuse(stream, request, verb ? StreamCode.overloaded : StreamCode.refused, why);
    }
    speedtests.add(verb);
    new SpeedtestStream(this.#driver, stream, verb, () => {
      speedtests.delete(verb);
      limits.release();
    });
  }

  #refuse(stream: number, request: StreamRequest, code: StreamCode, why: string): void {
    this.#noteRefusal(stream, request, code, why);
    this.#driver.reset(stream, code);
  }

  #noteRefusal(stream: number, { destination: to }: StreamRequest, code: StreamCode, why: string): void {
    this.#refused++;
    const fields = { session: this.#session, flow: stream, to, why, refused: this.#refused };
    this.#access.log.write(`refused ${codeName(StreamCode, code)}`, "warn", fields, "refused a flow");
  }

  #noteFailure(stream: number, { destination: to }: StreamRequest, code: StreamCode, err: Error): void {
    const fields = { session: this.#session, flow: stream, to, err };
    this.#access.log.write(codeName(StreamCode, code), "info", fields, "could not reach the destination");
  }

  #noteCut(stream: number, { destination: to }: StreamRequest, why: string): void {
    this.#access.log.write("cut", "info", { session: this.#session, flow: stream, to, why }, "cut a flow");
  }

  #dial(stream: number, request: StreamRequest): void {
    const { host, port } = request.destination;
    const { policy, names } = this.#access;
    const lookup = allowedLookup(policy, port, (name) => names.resolve(name));
    let flow: EgressFlow | undefined;
    const socket = dialApplication(
      { host, port, lookup },
      (bytes, release) => flow?.handleBytes(bytes, release) ?? true,
      (connected) => flow?.handleConnected(connected),
    );
    const dialled = new EgressFlow(this.#driver, stream, request, socket, {
      policy: () => this.#access.policy,
      onFailed: (code, error) => {
        if (code === StreamCode.overloaded) this.#onRefused("system");
        if (code === StreamCode.networkUnreachable && isIPv6(host)) this.#wayOut.noteUnreachable();
        if (error instanceof NotAllowedError) this.#noteRefusal(stream, request, code, error.message);
        else this.#noteFailure(stream, request, code, error);
      },
      onCut: (why) => this.#noteCut(stream, request, why),
      onOver: () => {
        this.#flows.delete(dialled);
        this.#access.limits.release();
      },
    });
    flow = dialled;
    this.#flows.add(dialled);
    this.#driver.adopt(stream, dialled);
  }

  /** Resets the flows to destinations that changed rules no longer allow. */
  enforceRules(): void {
    for (const flow of this.#flows) flow.enforceRules();
  }
}

interface EgressFlowOptions {
  /** The peer's present rules. */
  readonly policy: () => EgressPolicy;
  /** The dial failed. */
  readonly onFailed: (code: StreamCode, error: Error) => void;
  /** The rules forbid the address that was reached. */
  readonly onCut: (why: string) => void;
  readonly onOver: () => void;
}

/** A flow that begins with a dial. Failures until the dial is done have stream codes of their own. */
class EgressFlow extends Flow {
  readonly #options: EgressFlowOptions;
  readonly #driver: SessionDriver;
  readonly #timer: NodeJS.Timeout;
  #dialled = false;

  constructor(
    driver: SessionDriver,
    stream: number,
    request: StreamRequest,
    socket: Socket,
    options: EgressFlowOptions,
  ) {
    super(driver, stream, request, socket, { onOver: options.onOver });
    this.#options = options;
    this.#driver = driver;
    const timer = setTimeout(() => this.abort(StreamCode.timeout), CONNECT_TIMEOUT_MS);
    socket.prependListener("error", (error: NodeJS.ErrnoException) => {
      if (this.#dialled) return;
      const code = codeOf(error);
      options.onFailed(code, error);
      this.abort(code);
    });
    this.#timer = timer;
    socket.once("close", () => clearTimeout(timer));
  }

  override handleConnected(socket: Socket): void {
    clearTimeout(this.#timer);
    super.handleConnected(socket);
    // The rules may have changed during the dial.
    if (!this.enforceRules()) return;
    this.#dialled = true;
    this.#driver.accept(this.stream, { host: socket.localAddress ?? "", port: socket.localPort ?? 0 });
    super.handleReadable();
  }

  override handleReadable(): void {
    if (this.#dialled) super.handleReadable();
  }

  /**
   * Resets the flow when its address is denied now. A flow that is still being dialled is judged when it is connected.
   */
  enforceRules(): boolean {
    const { remoteAddress, remotePort } = this.socket;
    if (remoteAddress === undefined || remotePort === undefined) return true;
    const why = this.#options.policy().whyDenied(remoteAddress, remotePort);
    if (why === undefined) return true;
    this.#options.onCut(why);
    this.abort(StreamCode.notAllowed);
    return false;
  }
}

/**
 * A text with control characters (Node would throw) and an empty one (Node would take it for localhost) are no names.
 */
export function isHost(host: string): boolean {
  return /^[\x21-\x7e\u00a1-\uffff]+$/.test(host);
}

/** When several addresses of a name were tried in vain, the last error counts. */
function codeOf(error: NodeJS.ErrnoException): StreamCode {
  const last = error instanceof AggregateError ? (error.errors.at(-1) as NodeJS.ErrnoException) : error;
  return CODES[last?.code ?? ""] ?? StreamCode.hostUnreachable;
}
