import { isIP, type Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import {
  clientTls,
  createPinnedSocket,
  limitUnsent,
  type Pairing,
  pskIdentity,
} from "@hawser/shared-protocol/node";
import type { PathConfig } from "../config.ts";
import type { DialTarget } from "./dial-targets.ts";

/** How long an answer is waited for: longer than the way there and back through a full queue. */
const ANSWER_MS = 3_000;
/**
 * While nobody answers, another socket sends its SYN each so often, and the first that connects is taken. The system
 * repeats a SYN after a second, then after two (RFC 6298): a line that is back must not wait for that.
 */
const NEXT_SYN_MS = 200;
const MAX_SOCKETS = ANSWER_MS / NEXT_SYN_MS;
/** An attempt that goes on although nobody answers ends after so many waits: names may lead elsewhere by then. */
const MAX_WAITS = 10;

/** A connection that did not come about, for a reason that connect(2) has no code for. */
export class DialError extends Error {
  override readonly name = "DialError";
  readonly code = "ERR_DIAL";
}

/**
 * One connection to the remote gateway over one line: pinned, then TLS. With `onSilence`, which is told each time that no
 * answer came within 3 s, it is tried for 30 s without a break: a SYN that is answered late is not given up.
 * @throws DialError, SystemError, TlsError, or the errors of connect(2)
 */
export async function dialSubflow(
  path: PathConfig,
  { address, family, endpoint }: DialTarget,
  pairing: Pairing,
  signal: AbortSignal,
  onSilence?: (error: DialError) => void,
): Promise<TLSSocket> {
  signal.throwIfAborted();
  const pinned = (): Socket =>
    createPinnedSocket({
      family,
      ...(path.interface !== undefined && { interface: path.interface }),
      ...(path.source !== undefined && { source: path.source }),
    });
  const raw = await connectFirst(pinned, address, endpoint.port, signal, onSilence);
  limitUnsent(raw);
  return clientTls(raw, {
    identity: pskIdentity(pairing.name, pairing.psk),
    psk: pairing.psk.reveal(),
    servername: isIP(endpoint.host) === 0 ? endpoint.host : "hawser.invalid",
    signal,
  });
}

/**
 * The first socket of `create` to connect; `onSilence` as above.
 * @throws DialError, or what one of them fails with
 */
export async function connectFirst(
  create: () => Socket,
  host: string,
  port: number,
  signal: AbortSignal,
  onSilence?: (error: DialError) => void,
): Promise<Socket> {
  const race = new SynRace(create, host, port);
  let waits = 0;
  const handleSilence = (): void => {
    const error = new DialError(`no answer from ${host} port ${port} within ${ANSWER_MS} ms`);
    if (onSilence && ++waits < MAX_WAITS) onSilence(error);
    else race.fail(error);
  };
  const callOff = (): void => race.fail(new DialError("the attempt was called off"));
  race.connect();
  const repetition = setInterval(() => race.connect(), NEXT_SYN_MS);
  const silence = setInterval(handleSilence, ANSWER_MS);
  signal.addEventListener("abort", callOff, { once: true });
  try {
    return await race.winner;
  } finally {
    clearInterval(repetition);
    clearInterval(silence);
    signal.removeEventListener("abort", callOff);
    race.end();
  }
}

/** Sockets that connect to the same address at once: the first to do so wins, and what one fails with is all their fate. */
class SynRace {
  readonly #create: () => Socket;
  readonly #host: string;
  readonly #port: number;
  readonly #first = Promise.withResolvers<Socket>();
  /** The oldest comes first. */
  readonly #sockets = new Set<Socket>();
  #isWon = false;

  constructor(create: () => Socket, host: string, port: number) {
    this.#create = create;
    this.#host = host;
    this.#port = port;
  }

  /** @throws as `connectFirst` */
  get winner(): Promise<Socket> {
    return this.#first.promise;
  }

  /** One more joins; the oldest, which nobody has answered for long, leaves. */
  connect(): void {
    const [oldest] = this.#sockets;
    if (oldest && this.#sockets.size === MAX_SOCKETS) this.#drop(oldest);
    try {
      const socket = this.#create().once("error", this.#first.reject);
      this.#sockets.add(socket);
      const address = { host: this.#host, port: this.#port, autoSelectFamily: false };
      socket.connect(address, () => this.#handleConnected(socket));
    } catch (error) {
      // Those that are under way may still be answered.
      if (this.#sockets.size === 0) this.#first.reject(error);
    }
  }

  #handleConnected(socket: Socket): void {
    if (this.#isWon) return;
    this.#isWon = true;
    this.#sockets.delete(socket);
    this.#first.resolve(socket.off("error", this.#first.reject));
  }

  #drop(socket: Socket): void {
    this.#sockets.delete(socket);
    socket.destroy();
  }

  fail(error: DialError): void {
    this.#first.reject(error);
  }

  /** Drops all but the winner. */
  end(): void {
    for (const socket of this.#sockets) this.#drop(socket);
  }
}
