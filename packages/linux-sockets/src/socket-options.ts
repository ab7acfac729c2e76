import type { Socket } from "node:net";
import { libc, Sys } from "./libc.ts";
import { socketFd } from "./node-internals.ts";
import { errnoName, errnoText, SystemError } from "./system-error.ts";

/**
 * TCP_NOTSENT_LOWAT (tcp(7)): the socket is writable only while the kernel holds fewer than `bytes` unsent. So
 * `write()` and 'drain' follow the line, and not a send buffer of megabytes.
 * @throws SystemError
 */
export function setNotSentLowat(socket: Socket, bytes: number): void {
  setInt(socket, Sys.TCP_NOTSENT_LOWAT, bytes, "TCP_NOTSENT_LOWAT");
}

/** When the kernel probes whether the other end is there, and when it gives up; seconds. */
export interface KeepAlive {
  /** How long a connection is silent before the first probe. */
  readonly idle: number;
  /** From a probe to the next. */
  readonly interval: number;
  /** How many probes in a row without an answer end the connection. */
  readonly probes: number;
}

/**
 * SO_KEEPALIVE with all its times (tcp(7)). Node's `setKeepAlive` sets the idle time alone and fixes the rest at ten
 * probes, a second apart: a peer that is silent for ten seconds would be given up.
 * @throws SystemError
 */
export function setKeepAlive(socket: Socket, { idle, interval, probes }: KeepAlive): void {
  setInt(socket, Sys.SO_KEEPALIVE, 1, "SO_KEEPALIVE", Sys.SOL_SOCKET);
  setInt(socket, Sys.TCP_KEEPIDLE, idle, "TCP_KEEPIDLE");
  setInt(socket, Sys.TCP_KEEPINTVL, interval, "TCP_KEEPINTVL");
  setInt(socket, Sys.TCP_KEEPCNT, probes, "TCP_KEEPCNT");
}

/**
 * SO_OOBINLINE (socket(7)): a byte that was sent as urgent (RFC 6093) is read in its place among the others. Without this
 * option the byte would be lost, as Node never reads it.
 * @throws SystemError
 */
export function setUrgentInline(socket: Socket): void {
  setInt(socket, Sys.SO_OOBINLINE, 1, "SO_OOBINLINE", Sys.SOL_SOCKET);
}

/**
 * TCP_CONGESTION (tcp(7)): the congestion control, one of net.ipv4.tcp_available_congestion_control.
 * @throws SystemError ENOENT when the kernel has no such algorithm, EPERM when it is reserved for root.
 */
export function setCongestion(socket: Socket, algorithm: string): void {
  const value = Buffer.from(algorithm, "latin1");
  set(socket, Sys.TCP_CONGESTION, value, `TCP_CONGESTION=${algorithm}`);
}

/**
 * The name of the congestion control in use, undefined when the socket is gone.
 * @throws SystemError
 */
export function getCongestion(socket: Socket): string | undefined {
  const fd = socketFd(socket);
  if (fd === undefined) return undefined;
  // TCP_CA_NAME_MAX of linux/tcp.h is 16, the closing zero included.
  const value = Buffer.alloc(16);
  const length = Uint32Array.of(value.length);
  const c = libc();
  if (c.getsockopt(fd, Sys.IPPROTO_TCP, Sys.TCP_CONGESTION, value, length) !== 0) {
    throw failure(c.errno(), "getsockopt", "TCP_CONGESTION");
  }
  const end = value.indexOf(0);
  return value.toString("latin1", 0, end < 0 ? value.length : end);
}

/** The connection's error (SO_ERROR of socket(7)), such as `ECONNRESET`, or undefined. The kernel forgets it then. */
export function socketError(socket: Socket): string | undefined {
  const fd = socketFd(socket);
  if (fd === undefined) return undefined;
  const value = Buffer.from(new ArrayBuffer(4));
  const failed = libc().getsockopt(fd, Sys.SOL_SOCKET, Sys.SO_ERROR, value, Uint32Array.of(4)) !== 0;
  const errno = new Int32Array(value.buffer, value.byteOffset, 1)[0] as number;
  return failed || errno === 0 ? undefined : errnoName(errno);
}

/**
 * SO_LINGER with a time of 0 (socket(7)): closing sends RST and discards what the kernel has not sent. Without it the
 * kernel retransmits a dead line's last bytes for minutes, and they delay new data when the line returns.
 * @throws SystemError
 */
export function setDiscardOnClose(socket: Socket): void {
  const linger = Buffer.from(Int32Array.of(1, 0).buffer);
  set(socket, Sys.SO_LINGER, linger, "SO_LINGER", Sys.SOL_SOCKET);
}

function setInt(socket: Socket, option: number, value: number, name: string, level?: number): void {
  set(socket, option, Buffer.from(Int32Array.of(value).buffer), name, level);
}

function set(
  socket: Socket,
  option: number,
  value: Buffer,
  name: string,
  level: number = Sys.IPPROTO_TCP,
): void {
  const fd = socketFd(socket);
  if (fd === undefined) throw new SystemError("EBADF", 9, "setsockopt", `${name}: the socket is not open`);
  const c = libc();
  if (c.setsockopt(fd, level, option, value, value.length) !== 0) {
    throw failure(c.errno(), "setsockopt", name);
  }
}

function failure(errno: number, syscall: string, name: string): SystemError {
  return new SystemError(errnoName(errno), errno, syscall, `${name}: ${errnoText(errno)}`);
}
