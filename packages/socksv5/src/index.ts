/** The server's side of SOCKS5 (RFC 1928) with passwords (RFC 1929), without sockets and timers. */

export { encodeAddress, parseAddress, type SocksAddress } from "./address.ts";
export {
  MAX_BUFFERED_BYTES,
  PasswordStatus,
  SocksAddressType,
  SocksCommand,
  SocksMethod,
  SocksReply,
} from "./constants.ts";
export { type SocksError, SocksErrorCode } from "./errors.ts";
export {
  SocksHandshake,
  type SocksHandshakeOptions,
  type SocksHandshakeState,
  type SocksRequest,
  type SocksStep,
} from "./handshake.ts";
export { type Authenticate, passwordTable } from "./password-auth.ts";
export { type BoundAddress, encodeReply, replyForErrno } from "./reply.ts";
