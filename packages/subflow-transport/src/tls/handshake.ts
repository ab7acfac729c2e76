import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { onTlsError } from "@hawser/linux-sockets";
import { TlsError, TlsErrorCode } from "./tls-error.ts";

export interface HandshakeLimits {
  /** Milliseconds from now until the handshake must be over. */
  readonly deadlineMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Waits for `event` ("secureConnect" of clients, "secure" of servers) or for the first of: an error, the end of the
 * connection, the deadline, an abort. Whatever went wrong, both sockets are destroyed before the promise rejects.
 *
 * Afterwards the TLS socket keeps two listeners: an empty one for 'error' (an error between the handshake and the
 * caller's own listener must not end the process), and one that destroys it after a TLS error, which Node reports
 * but leaves open: a connection that got a bad record can never deliver anything again.
 */
export function awaitHandshake(
  raw: Socket,
  secure: TLSSocket,
  event: "secure" | "secureConnect",
  limits: HandshakeLimits,
  explain: (error: unknown) => TlsError,
): Promise<void> {
  secure.on("error", ignore);
  raw.on("error", ignore);
  onTlsError(secure, (error) => secure.destroy(error));
  return new Promise((resolve, reject) => {
    const fail = (error: TlsError): void => {
      release();
      secure.destroy();
      raw.destroy();
      reject(error);
    };
    const onDone = (): void => {
      release();
      resolve();
    };
    const onError = (error: unknown): void => fail(explain(error));
    const onClose = (): void =>
      fail(new TlsError(TlsErrorCode.closed, "the connection ended in the TLS handshake"));
    const onAbort = (): void => fail(new TlsError(TlsErrorCode.aborted, "the TLS handshake was aborted"));
    const timer = setTimeout(() => {
      fail(
        new TlsError(
          TlsErrorCode.deadline,
          `no TLS handshake within ${Math.max(0, Math.round(limits.deadlineMs))} ms`,
        ),
      );
    }, limits.deadlineMs);
    const release = (): void => {
      clearTimeout(timer);
      limits.signal?.removeEventListener("abort", onAbort);
      secure.off(event, onDone).off("error", onError).off("close", onClose).off("end", onClose);
      raw.off("close", onClose);
    };
    secure.once(event, onDone).once("error", onError).once("close", onClose).once("end", onClose);
    raw.once("close", onClose);
    limits.signal?.addEventListener("abort", onAbort, { once: true });
    if (limits.signal?.aborted === true) onAbort();
  });
}

function ignore(): void {}
