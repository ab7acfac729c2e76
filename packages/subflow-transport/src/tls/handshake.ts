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
 * Waits for `event`: "secureConnect" at clients, "secure" at servers. Rejects at an error, at the end of the connection, at
 * the deadline, or on an abort; both sockets are destroyed before.
 *
 * Afterwards the TLS socket keeps two listeners. An empty one for 'error': an error before the caller adds its own must not
 * end the process. And one that destroys the socket after a TLS error: a connection with a bad record can never deliver
 * anything again, but Node leaves it open.
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
