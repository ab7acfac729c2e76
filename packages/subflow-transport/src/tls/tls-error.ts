/** Why a handshake failed; stable, for logs and for the decision whether trying again can help. */
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
  /** The other end did not authenticate by the PSK with an ephemeral key exchange (it offered a certificate ...). */
  notPsk: "ERR_NOT_PSK",
  /** Anything else that TLS reports; `cause` says what. */
  failed: "ERR_HANDSHAKE_FAILED",
} as const;

export type TlsErrorCode = (typeof TlsErrorCode)[keyof typeof TlsErrorCode];

/** A TLS handshake that did not succeed. Both sockets are destroyed when it is thrown. */
export class TlsError extends Error {
  override readonly name = "TlsError";
  readonly code: TlsErrorCode;
  /** At the server: the identity that the peer gave, authenticated or not. Beware of it in logs: any text. */
  readonly identity: string | undefined;

  constructor(code: TlsErrorCode, message: string, cause?: unknown, identity?: string) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.identity = identity;
  }
}

/** The `code` of a runtime's error, for instance `ERR_SSL_BINDER_DOES_NOT_VERIFY`. */
export function causeCode(error: unknown): string {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === "string" ? code : "";
}
