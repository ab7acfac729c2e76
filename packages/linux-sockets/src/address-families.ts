import { type Libc, libc, Sys } from "./libc.ts";
import { errnoName } from "./system-error.ts";

/**
 * Whether sockets of IPv6 are to be had: a kernel with `ipv6.disable=1` on its command line makes none. (It does with
 * net.ipv6.conf.all.disable_ipv6, which only leaves the interfaces without addresses.)
 */
export function hasIpv6(c: Pick<Libc, "socket" | "close" | "errno"> | undefined = reachableLibc()): boolean {
  // Where it cannot be asked for, whoever listens will be told.
  if (!c) return true;
  const fd = c.socket(Sys.AF_INET6, Sys.SOCK_STREAM | Sys.SOCK_CLOEXEC, 0);
  if (fd < 0) return errnoName(c.errno()) !== "EAFNOSUPPORT";
  c.close(fd);
  return true;
}

function reachableLibc(): Libc | undefined {
  try {
    return libc();
  } catch {
    return undefined;
  }
}
