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

/**
 * How long one connection attempt may take. The system sends SYNs at once, after a second, and after three (RFC 6298):
 * a line that is just back must not wait for the third.
 */
export const CONNECT_DEADLINE_MS = 2_000;

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
  const raw = createPinnedSocket({
    family,
    ...(path.interface !== undefined && { interface: path.interface }),
    ...(path.source !== undefined && { source: path.source }),
  });
  await connect(raw, address, endpoint.port, signal);
  limitUnsent(raw);
  return clientTls(raw, {
    identity: pskIdentity(pairing.name, pairing.psk),
    psk: pairing.psk.reveal(),
    servername: isIP(endpoint.host) === 0 ? endpoint.host : "hawser.invalid",
    signal,
  });
}

function connect(raw: Socket, host: string, port: number, signal: AbortSignal): Promise<void> {
  return new Promise((done, reject) => {
    const fail = (error: Error): void => {
      release();
      raw.destroy();
      reject(error);
    };
    const onAbort = (): void => fail(new DialError("the attempt was called off"));
    const timer = setTimeout(
      () => fail(new DialError(`no answer from ${host} port ${port} within ${CONNECT_DEADLINE_MS} ms`)),
      CONNECT_DEADLINE_MS,
    );
    const release = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      raw.off("error", fail);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    raw.once("error", fail);
    raw.connect({ host, port, autoSelectFamily: false }, () => {
      release();
      done();
    });
  });
}
