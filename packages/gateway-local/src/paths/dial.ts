import { isIP, type Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { createPinnedSocket } from "@hawser/linux-sockets";
import { type Pairing, pskIdentity } from "@hawser/shared-protocol";
import { clientTls, limitUnsent } from "@hawser/subflow-transport";
import type { PathConfig } from "../config.ts";
import { DialError } from "./dial-error.ts";
import type { DialTarget } from "./dial-targets.ts";

/** How long to wait for an answer, milliseconds: longer than a round trip through a full queue. */
const ANSWER_MS = 3_000;
/**
 * How often another socket sends a SYN while there is no answer, milliseconds. The first socket that connects is used. The
 * kernel repeats a SYN only after one second, then after two (RFC 6298), which would delay the use of a line that is back.
 */
const NEXT_SYN_MS = 400;
/** In its first minute an attempt sends SYNs twice as often: a line that has just died may be back soon. */
const CLOSE_WATCH_MS = 60_000;

/**
 * Called when there is no answer, with the error that the attempt would fail with. Returns whether to go on. Never
 * throws.
 */
export type OnSilence = (error: DialError) => boolean | Promise<boolean>;

/** Makes sockets and connects one of them to an address and port. */
export type Connect = (
  create: () => Socket,
  host: string,
  port: number,
  signal: AbortSignal,
  onSilence: OnSilence,
) => Promise<Socket>;

/**
 * Makes one connection to the remote gateway over one line: pinned, then TLS. It fails when no answer came within 3 s,
 * unless `onSilence` says each time to go on. So an attempt does not give up SYNs that may be answered a moment later.
 * @throws DialError, SystemError, TlsError, or the errors of connect(2)
 */
export async function dialSubflow(
  path: PathConfig,
  { address, family, endpoint }: DialTarget,
  pairing: Pairing,
  signal: AbortSignal,
  onSilence: OnSilence = () => false,
  connect: Connect = connectFirst,
): Promise<TLSSocket> {
  signal.throwIfAborted();
  const pinned = (): Socket =>
    createPinnedSocket({
      family,
      ...(path.interface !== undefined && { interface: path.interface }),
      ...(path.source !== undefined && { source: path.source }),
    });
  const raw = await connect(pinned, address, endpoint.port, signal, onSilence);
  limitUnsent(raw);
  return clientTls(raw, {
    identity: pskIdentity(pairing.name, pairing.psk),
    psk: pairing.psk.reveal(),
    servername: isIP(endpoint.host) === 0 ? endpoint.host : "hawser.invalid",
    signal,
  });
}

/**
 * Resolves with the first socket of `create` that connects. `onSilence`: see `OnSilence`.
 * @throws DialError, or the error of a socket
 */
export async function connectFirst(
  create: () => Socket,
  host: string,
  port: number,
  signal: AbortSignal,
  onSilence: OnSilence = () => false,
): Promise<Socket> {
  const race = new SynRace(create, host, port);
  let ms = 0;
  const handleTime = async (): Promise<void> => {
    ms += NEXT_SYN_MS / 2;
    const isClose = ms > ANSWER_MS && ms <= CLOSE_WATCH_MS;
    if (isClose || ms % NEXT_SYN_MS === 0) race.connect();
    if (ms % ANSWER_MS > 0) return;
    const error = silence(host, port);
    if (!(await onSilence(error))) race.fail(error);
  };
  const timer = setInterval(() => void handleTime(), NEXT_SYN_MS / 2);
  return winnerOf(race, signal).finally(() => clearInterval(timer));
}

/** Connects a single socket within 3 s, to an address that has just answered. @throws as `connectFirst` */
export function connectOnce(
  create: () => Socket,
  host: string,
  port: number,
  signal: AbortSignal,
): Promise<Socket> {
  const race = new SynRace(create, host, port);
  const fail = (): void => race.fail(silence(host, port));
  const timer = setTimeout(fail, ANSWER_MS);
  return winnerOf(race, signal).finally(() => clearTimeout(timer));
}

function silence(host: string, port: number): DialError {
  return new DialError(`no answer from ${host} port ${port} within ${ANSWER_MS} ms`);
}

/** Runs a race to its end, or until it is aborted. */
async function winnerOf(race: SynRace, signal: AbortSignal): Promise<Socket> {
  const callOff = (): void => race.fail(new DialError("the attempt was called off"));
  race.connect();
  signal.addEventListener("abort", callOff, { once: true });
  try {
    return race.take(await race.winner);
  } finally {
    signal.removeEventListener("abort", callOff);
    race.end();
  }
}

/**
 * Sockets that connect to the same address at once. The first to connect wins. When one fails, all fail with its error.
 */
class SynRace {
  readonly #create: () => Socket;
  readonly #host: string;
  readonly #port: number;
  readonly #first = Promise.withResolvers<Socket>();
  /** Each socket with the timer that gives it up. */
  readonly #sockets = new Map<Socket, NodeJS.Timeout>();

  constructor(create: () => Socket, host: string, port: number) {
    this.#create = create;
    this.#host = host;
    this.#port = port;
  }

  /** @throws as `connectFirst` */
  get winner(): Promise<Socket> {
    return this.#first.promise;
  }

  /** Adds a socket, which is given up when there is no answer in time. */
  connect(): void {
    const { resolve, reject } = this.#first;
    try {
      const socket = this.#create().once("error", reject);
      this.#sockets.set(
        socket,
        setTimeout(() => this.take(socket).destroy(), ANSWER_MS),
      );
      const address = { host: this.#host, port: this.#port, autoSelectFamily: false };
      socket.connect(address, () => resolve(socket.off("error", reject)));
    } catch (error) {
      // The sockets under way may still be answered.
      if (this.#sockets.size === 0) reject(error);
    }
  }

  fail(error: DialError): void {
    this.#first.reject(error);
  }

  /** Takes the socket out of the race. */
  take(socket: Socket): Socket {
    clearTimeout(this.#sockets.get(socket));
    this.#sockets.delete(socket);
    return socket;
  }

  end(): void {
    for (const socket of this.#sockets.keys()) this.take(socket).destroy();
  }
}
