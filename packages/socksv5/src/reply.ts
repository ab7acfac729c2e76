/** Replies (RFC 1928 section 6). */

import { encodeAddress } from "./address.ts";
import { SOCKS_VERSION, SocksReply } from "./constants.ts";

/** BND.ADDR and BND.PORT: the address from which the server side reached the destination. */
export interface BoundAddress {
  readonly host: string;
  readonly port: number;
}

const UNSPECIFIED: BoundAddress = { host: "0.0.0.0", port: 0 };

/**
 * The bound address may be left out, as the far end of a tunnel may not tell it. One that cannot
 * be written is sent as 0.0.0.0:0 too: clients do not use it after CONNECT, and it may come from
 * another machine, so it must not be able to throw.
 * ```
 * VER(1) = 5 | REP(1) | RSV(1) = 0 | ATYP(1) BND.ADDR(...) BND.PORT(2)
 * ```
 */
export function encodeReply(code: SocksReply, bound: BoundAddress = UNSPECIFIED): Uint8Array {
  const address =
    encodeAddress(bound.host, bound.port) ?? encodeAddress(UNSPECIFIED.host, UNSPECIFIED.port) ?? [];
  return Uint8Array.of(SOCKS_VERSION, code, 0x00, ...address);
}

const replyByErrno = new Map<string, SocksReply>([
  ["EACCES", SocksReply.notAllowed],
  ["EPERM", SocksReply.notAllowed],
  ["ENETUNREACH", SocksReply.networkUnreachable],
  ["ENETDOWN", SocksReply.networkUnreachable],
  ["EHOSTUNREACH", SocksReply.hostUnreachable],
  ["EHOSTDOWN", SocksReply.hostUnreachable],
  ["ENOTFOUND", SocksReply.hostUnreachable],
  ["EAI_AGAIN", SocksReply.hostUnreachable],
  ["ECONNREFUSED", SocksReply.connectionRefused],
  // REP has no time-out. "Host unreachable" is what it means to a user; 0x06 is about IP hop counts.
  ["ETIMEDOUT", SocksReply.hostUnreachable],
  ["EAFNOSUPPORT", SocksReply.addressTypeNotSupported],
]);

/** The REP that fits the `code` of a failed connect or lookup. */
export function replyForErrno(errno: string | undefined): SocksReply {
  return replyByErrno.get(errno ?? "") ?? SocksReply.generalFailure;
}
