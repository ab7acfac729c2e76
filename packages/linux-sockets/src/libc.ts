import { createRequire } from "node:module";
import { SystemError, SystemErrorCode } from "./system-error.ts";

/**
 * The few C library calls that Node has no API for. Each returns what the C function returns. After -1, `errno()` says
 * why; ask it before any other call.
 */
export interface Libc {
  /** socket(2) */
  socket(domain: number, type: number, protocol: number): number;
  /** bind(2) */
  bind(fd: number, address: Buffer, length: number): number;
  /** setsockopt(2) */
  setsockopt(fd: number, level: number, option: number, value: Buffer, length: number): number;
  /** getsockopt(2). `length[0]` is the size of `value` before the call, and how much was filled after it. */
  getsockopt(fd: number, level: number, option: number, value: Buffer, length: Uint32Array): number;
  /** fcntl(2) with F_DUPFD_CLOEXEC: a second descriptor of the same open socket */
  dup(fd: number): number;
  /** send(2) */
  send(fd: number, bytes: Buffer, length: number, flags: number): number;
  /** recvfrom(2). `addressLength[0]` is the size of `address` before the call, and how much was filled after it. */
  recvfrom(
    fd: number,
    bytes: Buffer,
    length: number,
    flags: number,
    address: Buffer,
    addressLength: Uint32Array,
  ): number;
  /** close(2) */
  close(fd: number): number;
  /** flock(2) */
  flock(fd: number, operation: number): number;
  /** if_nametoindex(3); 0 when there is no such interface */
  ifNameToIndex(name: string): number;
  /**
   * Calls back in the event loop whenever the descriptor has something to read, or an error. Close the watch before the
   * descriptor.
   */
  watchReadable(fd: number, onReadable: () => void): ReadableWatch;
  /** The positive errno of the last failed call. */
  errno(): number;
}

export interface ReadableWatch {
  close(): void;
}

/** Constants of Linux's uapi headers; the values are those of x86-64, arm64, arm and riscv (not MIPS or SPARC). */
export const Sys = {
  AF_INET: 2,
  AF_INET6: 10,
  AF_NETLINK: 16,
  SOCK_STREAM: 1,
  SOCK_RAW: 3,
  SOCK_NONBLOCK: 0o4000,
  SOCK_CLOEXEC: 0o2000000,
  F_DUPFD_CLOEXEC: 1030,
  /** flock(2) */
  LOCK_EX: 2,
  LOCK_NB: 4,
  /** socket(7) */
  SOL_SOCKET: 1,
  SO_TYPE: 3,
  SO_ERROR: 4,
  SO_KEEPALIVE: 9,
  SO_OOBINLINE: 10,
  SO_BINDTODEVICE: 25,
  SO_LINGER: 13,
  SO_PROTOCOL: 38,
  MSG_TRUNC: 0x20,
  /** ip(7), linux/netfilter_ipv4.h */
  SOL_IP: 0,
  IP_BIND_ADDRESS_NO_PORT: 24,
  SO_ORIGINAL_DST: 80,
  /** ipv6(7), linux/netfilter_ipv6/ip6_tables.h */
  SOL_IPV6: 41,
  IPV6_V6ONLY: 26,
  IP6T_SO_ORIGINAL_DST: 80,
  /** tcp(7) */
  IPPROTO_TCP: 6,
  TCP_KEEPIDLE: 4,
  TCP_KEEPINTVL: 5,
  TCP_KEEPCNT: 6,
  TCP_INFO: 11,
  TCP_CONGESTION: 13,
  TCP_NOTSENT_LOWAT: 25,
} as const;

let loaded: Libc | undefined;

/**
 * The bindings, loaded at the first call.
 *
 * Not at the import: a native module throws on machines that it has no build for, and most commands (checking a
 * configuration, printing rules) do without it.
 *
 * @throws SystemError `ERR_LIBC_UNAVAILABLE` when not on Linux, or without a koffi build for this C library.
 */
export function libc(): Libc {
  loaded ??= load();
  return loaded;
}

function load(): Libc {
  if (process.platform !== "linux") {
    throw unavailable(`socket options need Linux, this is ${process.platform}`);
  }
  try {
    return declare(createRequire(import.meta.url)("koffi") as typeof import("koffi").default);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw unavailable(`cannot reach the C library on linux-${process.arch}: ${reason}`);
  }
}

function declare(koffi: typeof import("koffi").default): Libc {
  // The process's own symbols: this finds glibc and musl alike, whatever their files are called.
  const library = koffi.load(null);
  const fcntl = library.func("int fcntl(int fd, int command, ...)") as (...args: unknown[]) => number;
  return {
    socket: library.func("int socket(int domain, int type, int protocol)") as Libc["socket"],
    bind: library.func("int bind(int fd, const void *address, uint32_t length)") as Libc["bind"],
    setsockopt: library.func(
      "int setsockopt(int fd, int level, int option, const void *value, uint32_t length)",
    ) as Libc["setsockopt"],
    getsockopt: library.func(
      "int getsockopt(int fd, int level, int option, void *value, void *length)",
    ) as Libc["getsockopt"],
    // Not dup(2): child processes (iptables, ip) would inherit the descriptor and keep the connection open.
    dup: (fd) => fcntl(fd, Sys.F_DUPFD_CLOEXEC, "int", 0),
    send: library.func("intptr_t send(int fd, const void *bytes, size_t length, int flags)") as Libc["send"],
    recvfrom: library.func(
      "intptr_t recvfrom(int fd, void *bytes, size_t length, int flags, void *address, void *addressLength)",
    ) as Libc["recvfrom"],
    close: library.func("int close(int fd)") as Libc["close"],
    flock: library.func("int flock(int fd, int operation)") as Libc["flock"],
    ifNameToIndex: library.func("uint32_t if_nametoindex(const char *name)") as Libc["ifNameToIndex"],
    watchReadable: (fd, onReadable) => watchReadable(koffi, fd, onReadable),
    errno: () => koffi.errno(),
  };
}

function watchReadable(
  koffi: typeof import("koffi").default,
  fd: number,
  onReadable: () => void,
): ReadableWatch {
  const readable = { readable: true };
  let immediate: NodeJS.Immediate | undefined;
  const run = (): void => {
    immediate = undefined;
    // libuv stops the watch at an error. A netlink socket goes on after one (ENOBUFS), so the watch starts again.
    handle.start(readable, schedule);
    onReadable();
  };
  // Koffi calls back outside Node's callbacks: promises settled there would not run their reactions until the next event.
  const schedule = (): void => {
    immediate ??= setImmediate(run);
  };
  const handle = koffi.node.poll(fd, readable, schedule);
  return {
    close: () => {
      if (immediate) clearImmediate(immediate);
      handle.close();
    },
  };
}

function unavailable(message: string): SystemError {
  return new SystemError(SystemErrorCode.libcUnavailable, 0, "dlopen", message);
}
