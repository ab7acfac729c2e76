import { isIPv4, isIPv6, type Socket, type SocketConstructorOpts } from "node:net";
import { parseIp } from "@hawser/shared-protocol";
import { type Libc, libc, Sys } from "./libc.ts";
import { openUnconnected } from "./node-internals.ts";
import { errnoName, errnoText, SystemError, SystemErrorCode } from "./system-error.ts";

export interface PinnedSocketOptions {
  /** 4 or 6: must be the family of the address that will be dialled. */
  readonly family: 4 | 6;
  /** Send and receive over this device only (SO_BINDTODEVICE, socket(7)), whatever the routing table says. */
  readonly interface?: string;
  /** The local address, without a port. It does not choose the line: that is done by `interface`, or by routing. */
  readonly source?: string;
  /** For the net.Socket. The default is true, as gateways carry half-closed connections. */
  readonly allowHalfOpen?: boolean;
  /** For the net.Socket: it reads into the caller's buffers (buffers/pooled-reader.ts). */
  readonly onread?: SocketConstructorOpts["onread"];
}

/** IFNAMSIZ of linux/if.h, less the closing zero. The kernel would cut a longer name and bind to another device. */
const MAX_INTERFACE_NAME = 15;

/**
 * A TCP socket that is bound to a line, and not connected yet. Call `connect({ host, port })` with an **IP literal**. For
 * a name with several addresses Node dials the second with a new descriptor, which is bound to nothing.
 *
 * @throws SystemError ENODEV (no such interface), EPERM (capability missing), EADDRNOTAVAIL (source is not an
 *   address of this machine), EMFILE and others. Nothing stays open then.
 */
export function createPinnedSocket(options: PinnedSocketOptions): Socket {
  const c = libc();
  const domain = options.family === 6 ? Sys.AF_INET6 : Sys.AF_INET;
  const fd = c.socket(domain, Sys.SOCK_STREAM | Sys.SOCK_NONBLOCK | Sys.SOCK_CLOEXEC, 0);
  if (fd < 0) throw failed(c, "socket", `cannot create an IPv${options.family} socket`);
  try {
    if (options.interface !== undefined) bindToDevice(c, fd, options.interface);
    if (options.source !== undefined) bindSource(c, fd, options);
    return wrap(fd, options);
  } catch (error) {
    c.close(fd);
    throw error;
  }
}

/** Whether this process may bind sockets to interfaces. Before Linux 5.7 that needs CAP_NET_RAW (socket(7)). */
export function mayBindToDevice(): boolean {
  try {
    createPinnedSocket({ family: 4, interface: "lo" }).destroy();
    return true;
  } catch (error) {
    return !(error instanceof SystemError && error.code === "EPERM");
  }
}

function bindToDevice(c: Libc, fd: number, name: string): void {
  const value = Buffer.from(name);
  if (value.length === 0 || value.length > MAX_INTERFACE_NAME) {
    throw new SystemError("ENODEV", 19, "setsockopt", `no interface named ${JSON.stringify(name)}`);
  }
  if (c.setsockopt(fd, Sys.SOL_SOCKET, Sys.SO_BINDTODEVICE, value, value.length) === 0) return;
  const what: Record<string, string> = {
    ENODEV: `no interface named ${JSON.stringify(name)}`,
    EPERM: `binding to interface ${name} needs CAP_NET_RAW`,
  };
  const errno = c.errno();
  throw failedWith(errno, "setsockopt", what[errnoName(errno)] ?? `cannot bind to interface ${name}`);
}

function bindSource(c: Libc, fd: number, options: PinnedSocketOptions): void {
  const source = options.source ?? "";
  const address = socketAddress(c, options);
  // Without this option bind(2) occupies an ephemeral port. With it the kernel chooses the port at connect(2), and one
  // port serves several destinations (ip(7), since Linux 4.2). Where an old kernel refuses, the socket works as well.
  const one = Buffer.from(Int32Array.of(1).buffer);
  c.setsockopt(fd, Sys.SOL_IP, Sys.IP_BIND_ADDRESS_NO_PORT, one, one.length);
  if (c.bind(fd, address, address.length) === 0) return;
  const errno = c.errno();
  const foreign = errnoName(errno) === "EADDRNOTAVAIL";
  throw failedWith(
    errno,
    "bind",
    foreign ? `${source} is not an address of this machine` : `cannot bind to ${source}`,
  );
}

/** struct sockaddr_in (ip(7)) or sockaddr_in6 (ipv6(7)) with port 0. */
function socketAddress(c: Libc, options: PinnedSocketOptions): Buffer {
  const source = options.source ?? "";
  const matches = options.family === 6 ? isIPv6(source) : isIPv4(source);
  const ip = matches ? parseIp(source) : undefined;
  if (ip === undefined) {
    const message = `${JSON.stringify(source)} is not an IPv${options.family} address`;
    throw new SystemError(SystemErrorCode.badArgument, 0, "bind", message);
  }
  const address = Buffer.alloc(options.family === 6 ? 28 : 16);
  const family = Uint16Array.of(options.family === 6 ? Sys.AF_INET6 : Sys.AF_INET);
  address.set(new Uint8Array(family.buffer), 0);
  address.set(ip, options.family === 6 ? 8 : 4);
  if (options.family === 6) address.set(scopeId(c, source, options.interface), 24);
  return address;
}

/** A link-local address needs its interface (RFC 4007): the zone after `%`, or else the one that is bound to. */
function scopeId(c: Libc, source: string, pinned: string | undefined): Uint8Array {
  const zone = source.split("%")[1] ?? (/^fe[89ab]/i.test(source) ? pinned : undefined);
  const index = zone === undefined ? 0 : /^\d+$/.test(zone) ? Number(zone) : c.ifNameToIndex(zone);
  if (zone !== undefined && index === 0)
    throw new SystemError("ENODEV", 19, "bind", `no interface named "${zone}"`);
  return new Uint8Array(Uint32Array.of(index).buffer);
}

function wrap(fd: number, { allowHalfOpen = true, onread }: PinnedSocketOptions): Socket {
  return openUnconnected(fd, { allowHalfOpen, ...(onread && { onread }) });
}

function failed(c: Libc, syscall: string, message: string): SystemError {
  return failedWith(c.errno(), syscall, message);
}

function failedWith(errno: number, syscall: string, message: string): SystemError {
  return new SystemError(errnoName(errno), errno, syscall, `${message}: ${errnoText(errno)}`);
}
