/** Errors are values: a peer's bytes never make this package throw. The codes are stable. */

/** Why a handshake failed. A code keeps its name and meaning. */
export const SocksErrorCode = {
  /** The first byte is that of SOCKS4, of an HTTP request, of TLS; of none of these. */
  socks4: "SOCKS_CLIENT_SPEAKS_SOCKS4",
  http: "SOCKS_CLIENT_SPEAKS_HTTP",
  tls: "SOCKS_CLIENT_SPEAKS_TLS",
  version: "SOCKS_VERSION",
  /** The client offers no method that this server accepts (RFC 1928 section 3). */
  noAcceptableMethod: "SOCKS_NO_ACCEPTABLE_METHOD",
  /** The password request breaks RFC 1929 section 2. */
  authMalformed: "SOCKS_AUTH_MALFORMED",
  /** The user is unknown or the password is wrong. */
  authFailed: "SOCKS_AUTH_FAILED",
  /** The request does not start with version 5 (RFC 1928 section 4). */
  requestMalformed: "SOCKS_REQUEST_MALFORMED",
  /** BIND, UDP ASSOCIATE or an unknown command. */
  commandUnsupported: "SOCKS_COMMAND_UNSUPPORTED",
  /** ATYP is none of IPv4, domain, IPv6 (RFC 1928 section 5). */
  addressTypeUnsupported: "SOCKS_ADDRESS_TYPE_UNSUPPORTED",
  /** The domain name is empty, not UTF-8, or holds spaces or control characters. */
  domainInvalid: "SOCKS_DOMAIN_INVALID",
  /** CONNECT to port 0. */
  portInvalid: "SOCKS_PORT_INVALID",
  /** The client closed in the middle of a message. */
  truncated: "SOCKS_TRUNCATED",
} as const;
export type SocksErrorCode = (typeof SocksErrorCode)[keyof typeof SocksErrorCode];

export interface SocksError {
  readonly code: SocksErrorCode;
  /** For the log. Holds no bytes chosen by the peer other than numbers. */
  readonly message: string;
}

export function socksError(code: SocksErrorCode, message: string): SocksError {
  return { code, message };
}

/** A byte as logs show it: `0x05`. */
export function hexByte(value: number): string {
  return `0x${value.toString(16).padStart(2, "0")}`;
}
