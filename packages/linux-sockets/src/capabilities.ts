import { readFileSync } from "node:fs";

/** Bit numbers of capabilities(7), linux/capability.h. */
const BITS = {
  /** Listen on ports below 1024. */
  net_bind_service: 10n,
  /** Change redirect rules, routes and packet marks. */
  net_admin: 12n,
  /** Bind to an interface (before Linux 5.7); iptables-legacy, which opens a raw socket. */
  net_raw: 13n,
} as const;

export type Capability = keyof typeof BITS;

/**
 * Whether this process has the capability in its effective set, by /proc/self/status (proc_pid_status(5)).
 * False when that file cannot be read. Inside a container the answer may be true and the call still fail: there the
 * capability holds only for the container's own network namespace.
 */
export function hasCapability(name: Capability): boolean {
  try {
    return statusHasCapability(readFileSync("/proc/self/status", "latin1"), name);
  } catch {
    return false;
  }
}

/** Whether a process has the capability, by the text of its /proc/PID/status. */
export function statusHasCapability(status: string, name: Capability): boolean {
  const hex = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  return hex !== undefined && ((BigInt(`0x${hex}`) >> BITS[name]) & 1n) === 1n;
}
