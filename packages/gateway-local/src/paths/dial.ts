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

/** How long one attempt to connect may take: longer than the way there and back through a full queue. */
const CONNECT_DEADLINE_MS = 3_000;
/**
 * While nobody answers, another socket sends its SYN each so often, and the first that connects is taken. The system
 * repeats a SYN after a second, then after two (RFC 6298): a line that is back must not wait for that.
 */
const NEXT_SYN_MS = 400;

/** A connection that did not come about, for a reason that connect(2) has no code for. */
export class DialError extends Error {
  override readonly name = "DialError";
  readonly code = "ERR_DIAL";
}

/**
 * One connection to the remote gateway over one line: pinned, then TLS.
 * @throws DialError, SystemError, TlsError, or the errors of connect(2)
 */
export async function dialSubflow(
  path: PathConfig,
  { address, family, endpoint }: DialTarget,
  pairing: Pairing,
  signal: AbortSignal,
): Promise<TLSSocket> {
  signal.throwIfAborted();
  const pinned = (): Socket =>
    createPinnedSocket({
      family,
      ...(path.interface !== undefined && { interface: path.interface }),
      ...(path.source !== undefined && { source: path.source }),
    });
  const raw = await connectFirst(pinned, address, endpoint.port, signal);
  limitUnsent(raw);
  return clientTls(raw, {
    identity: pskIdentity(pairing.name, pairing.psk),
    psk: pairing.psk.reveal(),
    servername: isIP(endpoint.host) === 0 ? endpoint.host : "hawser.invalid",
    signal,
  });
}

/** The first socket of `create` to connect. @throws DialError, or what one of them fails with */
export async function connectFirst(
  create: () => Socket,
  host: string,
  port: number,
  signal: AbortSignal,
): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const sockets = new Set<Socket>();
  const connect = (): void => {
    try {
      const socket = create().once("error", reject);
      sockets.add(socket);
      socket.connect({ host, port, autoSelectFamily: false }, () => resolve(socket.off("error", reject)));
    } catch (error) {
      // Those that are under way may still be answered.
      if (sockets.size === 0) reject(error);
    }
  };
  const callOff = (): void => reject(new DialError("the attempt was called off"));
  const giveUp = (): void =>
    reject(new DialError(`no answer from ${host} port ${port} within ${CONNECT_DEADLINE_MS} ms`));
  connect();
  const repetition = setInterval(connect, NEXT_SYN_MS);
  const deadline = setTimeout(giveUp, CONNECT_DEADLINE_MS);
  signal.addEventListener("abort", callOff, { once: true });
  try {
    const first = await promise;
    sockets.delete(first);
    return first;
  } finally {
    clearInterval(repetition);
    clearTimeout(deadline);
    signal.removeEventListener("abort", callOff);
    for (const socket of sockets) socket.destroy();
  }
}
