import { networkInterfaces } from "node:os";
import { canonicalIp } from "@hawser/shared-protocol";
import { libc } from "./libc.ts";

/** One address of this machine. */
export interface LocalAddress {
  readonly interface: string;
  /** Canonical text, without a zone. */
  readonly address: string;
  readonly family: 4 | 6;
  /** On the loopback interface. */
  readonly internal: boolean;
}

/**
 * The addresses of all interfaces that are up (getifaddrs(3)), read anew at each call: about 0.1 ms.
 */
export function localAddresses(): LocalAddress[] {
  const found: LocalAddress[] = [];
  for (const [name, entries] of Object.entries(networkInterfaces())) {
    for (const entry of entries ?? []) {
      found.push({
        interface: name,
        address: canonicalIp(entry.address),
        family: entry.family === "IPv6" ? 6 : 4,
        internal: entry.internal,
      });
    }
  }
  return found;
}

/** The number by which the kernel knows an interface; undefined where there is none of this name. */
export function interfaceIndex(name: string): number | undefined {
  return libc().ifNameToIndex(name) || undefined;
}

/** How long a list of own addresses may be used: a line that reconnects gets another address within seconds. */
const CACHE_MILLISECONDS = 1000;
let cached: { readonly at: number; readonly addresses: ReadonlySet<string> } | undefined;

/**
 * Whether a connection to `ip` would end on this machine: an address of one of its interfaces, anything of
 * 127.0.0.0/8, ::1, or the unspecified address (which Linux connects to the loopback). v4-mapped spellings count as
 * their IPv4 address. New and vanished addresses are noticed within a second.
 */
export function isOwnAddress(ip: string): boolean {
  const address = canonicalIp(ip);
  if (address.startsWith("127.") || address === "::1" || address === "0.0.0.0" || address === "::")
    return true;
  const now = performance.now();
  if (cached === undefined || now - cached.at > CACHE_MILLISECONDS) {
    cached = { at: now, addresses: new Set(localAddresses().map((entry) => entry.address)) };
  }
  return cached.addresses.has(address);
}
