import { isIPv6, type Socket } from "node:net";
import { formatIp } from "@hawser/shared-protocol";
import { libc, Sys } from "./libc.ts";
import { socketFd } from "./node-internals.ts";
import { errnoName } from "./system-error.ts";

/** Where a redirected connection was going before NAT. `address` is canonical text (RFC 5952), never v4-mapped. */
export interface OriginalDestination {
  readonly address: string;
  readonly family: 4 | 6;
  readonly port: number;
}

/** Why there is none. ENOENT: conntrack does not know the connection, so it was not redirected. ENOTCONN: it has ended. */
export interface NoOriginalDestination {
  readonly error: string;
}

// struct sockaddr_in and sockaddr_in6 (ip(7), ipv6(7)): the family in host order, then the port in network order.
const SOCKADDR_IN = { bytes: 16, port: 2, address: 4 } as const;
const SOCKADDR_IN6 = { bytes: 28, port: 2, address: 8 } as const;

// One buffer for all calls: each is read before the next is made.
const value = Buffer.alloc(SOCKADDR_IN6.bytes);
const length = new Uint32Array(1);

/**
 * Asks netfilter where the client of an accepted connection wanted to go: SO_ORIGINAL_DST for IPv4 (also for
 * `::ffff:` peers of an IPv6 listener), IP6T_SO_ORIGINAL_DST for IPv6.
 *
 * For a client that connected to the listener directly, the kernel may answer with the listener's own address. Compare
 * it (`isOwnAddress` and the port) before dialling: the gateway would connect to itself, again and again.
 *
 * @throws SystemError only when there is no C library to call. The kernel's errors are returned.
 */
export function originalDestination(socket: Socket): OriginalDestination | NoOriginalDestination {
  const fd = socketFd(socket);
  const peer = socket.remoteAddress;
  if (fd === undefined || peer === undefined) return { error: "ENOTCONN" };
  const isV6 = isIPv6(peer) && !peer.toLowerCase().startsWith("::ffff:");
  const layout = isV6 ? SOCKADDR_IN6 : SOCKADDR_IN;
  const [level, option] = isV6 ? [Sys.SOL_IPV6, Sys.IP6T_SO_ORIGINAL_DST] : [Sys.SOL_IP, Sys.SO_ORIGINAL_DST];
  const c = libc();
  length[0] = layout.bytes;
  if (c.getsockopt(fd, level, option, value, length) !== 0) return { error: errnoName(c.errno()) };
  return {
    address: formatIp(value.subarray(layout.address, layout.address + (isV6 ? 16 : 4))),
    family: isV6 ? 6 : 4,
    port: value.readUInt16BE(layout.port),
  };
}
