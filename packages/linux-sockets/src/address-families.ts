import { type Libc, libc, Sys } from "./libc.ts";
import { errnoName } from "./system-error.ts";

/**
 * Whether the kernel makes IPv6 sockets. One with `ipv6.disable=1` on its command line does not. One with the sysctl
 * net.ipv6.conf.all.disable_ipv6 does: only its interfaces have no addresses.
 */
export function hasIpv6(c: Pick<Libc, "socket" | "close" | "errno"> | undefined = reachableLibc()): boolean {
  // Without a C library nobody can ask. If there is no IPv6, listening will fail and say so.
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
