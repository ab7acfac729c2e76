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

/** The addresses of all interfaces that are up (getifaddrs(3)). Each call reads them anew, in about 0.1 ms. */
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

/** The kernel's number of the interface, or undefined when none has this name. */
export function interfaceIndex(name: string): number | undefined {
  return libc().ifNameToIndex(name) || undefined;
}

/** How long the list of own addresses is used. It may change at any time: a line that reconnects gets another address. */
const CACHE_MILLISECONDS = 1000;
let cached: { readonly at: number; readonly addresses: ReadonlySet<string> } | undefined;

/**
 * Whether a connection to `ip` would end on this machine. That holds for the addresses of its interfaces, for
 * 127.0.0.0/8 and ::1, and for the unspecified address, which Linux connects to the loopback. A v4-mapped address counts
 * as its IPv4 address. A new or removed address is noticed within a second.
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
