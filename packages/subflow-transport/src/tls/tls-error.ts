/** Why a handshake failed. The codes are stable: logs show them, and they tell whether another try can help. */
export const TlsErrorCode = {
  /** The handshake was not over in time. */
  deadline: "ERR_HANDSHAKE_DEADLINE",
  /** The caller's AbortSignal fired. */
  aborted: "ERR_HANDSHAKE_ABORTED",
  /** The connection ended first. */
  closed: "ERR_HANDSHAKE_CLOSED",
  /** At the server: no peer of this identity. */
  unknownIdentity: "ERR_PSK_UNKNOWN_IDENTITY",
  /** At the server: the peer does not hold the key of the identity it names. */
  wrongKey: "ERR_PSK_WRONG_KEY",
  /** At the client: the server turned the identity or the key down. */
  refused: "ERR_PSK_REFUSED",
  /** The other end did not authenticate by the key with an ephemeral key exchange: it showed a certificate, say. */
  notPsk: "ERR_NOT_PSK",
  /** Any other error of TLS; `cause` says which. */
  failed: "ERR_HANDSHAKE_FAILED",
} as const;

export type TlsErrorCode = (typeof TlsErrorCode)[keyof typeof TlsErrorCode];

/** A TLS handshake failed. Both sockets are destroyed before it is thrown. */
export class TlsError extends Error {
  override readonly name = "TlsError";
  readonly code: TlsErrorCode;
  /** At the server: the identity that the peer claims, in any text; it may not be authenticated. Escape it in logs. */
  readonly identity: string | undefined;

  constructor(code: TlsErrorCode, message: string, cause?: unknown, identity?: string) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.identity = identity;
  }
}

/** The `code` of one of Node's errors, such as `ERR_SSL_BINDER_DOES_NOT_VERIFY`; empty without one. */
export function causeCode(error: unknown): string {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === "string" ? code : "";
}
