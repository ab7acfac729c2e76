/**
 * The server's side of SOCKS5 (RFC 1928) with passwords (RFC 1929), without sockets and timers.
 *
 * ```ts
 * const handshake = new SocksHandshake({ authenticate: passwordTable({ alice: "wonder" }) });
 * for (const step of handshake.handle(chunk)) if (step.type === "send") socket.write(step.bytes);
 * ```
 */

export { encodeAddress } from "./address.ts";
export { MAX_BUFFERED_BYTES, SocksReply } from "./constants.ts";
export { SocksErrorCode } from "./errors.ts";
export { SocksHandshake, type SocksStep } from "./handshake.ts";
export { type Authenticate, passwordTable } from "./password-auth.ts";
export { encodeReply, replyForErrno } from "./reply.ts";
