/**
 * What `public` in `allow` leaves out: addresses that are not the Internet's, but this machine's, its network's, or its
 * provider's. After the special-purpose registries of RFC 6890, and what clouds do with them. Documentation and
 * benchmark ranges are not left out: nothing is there, and labs use them.
 */

import { BlockList, isIPv4, isIPv6 } from "node:net";
import { canonicalIp, formatIpv4, parseIp } from "@hawser/shared-protocol/node";

/** The first that an address is in says what it is. */
const RANGES: readonly (readonly [what: string, ...ranges: string[]])[] = [
  // RFC 1122, section 3.2.1.3; Linux connects 0.0.0.0 and :: to itself.
  ["unspecified", "0.0.0.0/8", "::/128"],
  ["loopback", "127.0.0.0/8", "::1/128"],
  // RFC 3927, RFC 4291. 169.254.169.254 is the metadata service of nearly every cloud.
  ["link-local", "169.254.0.0/16", "fe80::/10"],
  // RFC 1918; RFC 4193 (with fd00:ec2::254 and fd20:ce::254, metadata services), RFC 3879.
  ["private", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fec0::/10"],
  // RFC 6598: between a provider and its customers. 100.100.100.200 is a metadata service.
  ["shared", "100.64.0.0/10"],
  // RFC 6890 (192.0.0.192 is a metadata service), RFC 8215: translators of the own network.
  ["protocol assignments", "192.0.0.0/24", "64:ff9b:1::/48"],
  // A public address that Azure's hosts answer to their guests.
  ["metadata", "168.63.129.16/32"],
  ["multicast", "224.0.0.0/4", "ff00::/8"],
  ["reserved and broadcast", "240.0.0.0/4"],
  // RFC 4291, section 2.5.5.1; RFC 2765; RFC 4380: IPv4 addresses in disguise, long out of use.
  ["IPv4-compatible", "::/96"],
  ["IPv4-translated", "::ffff:0:0:0/96"],
  ["Teredo", "2001::/32"],
];

const LISTS = RANGES.map(([what, ...ranges]) => {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = "", prefix] = range.split("/");
    list.addSubnet(address, Number(prefix), isIPv4(address) ? "ipv4" : "ipv6");
  }
  return { what, list };
});

/** RFC 4291, section 2.4: all unicast addresses that the IANA has given out. */
const GLOBAL_UNICAST = new BlockList();
GLOBAL_UNICAST.addSubnet("2000::", 3, "ipv6");
/** RFC 6052: IPv4 addresses behind a translator. */
const NAT64 = new BlockList();
NAT64.addSubnet("64:ff9b::", 96, "ipv6");
/** RFC 3056: IPv4 addresses as the next hop. */
const SIX_TO_FOUR = new BlockList();
SIX_TO_FOUR.addSubnet("2002::", 16, "ipv6");

/** What an address is if it is not the Internet's, such as "loopback"; undefined for a public one. Any spelling. */
export function whyNotPublic(address: string): string | undefined {
  const ip = canonicalIp(address);
  const family = isIPv4(ip) ? "ipv4" : "ipv6";
  if (family === "ipv6" && !isIPv6(ip)) return "no address";
  const found = LISTS.find(({ list }) => list.check(ip, family));
  if (found) return found.what;
  const inner = embeddedIpv4(ip);
  if (inner !== undefined) return whyNotPublic(inner);
  return family === "ipv4" || GLOBAL_UNICAST.check(ip, family) ? undefined : "not given out";
}

/** The IPv4 address that a packet to this canonical address ends up at, by NAT64 or 6to4. */
export function embeddedIpv4(ip: string): string | undefined {
  if (!isIPv6(ip)) return undefined;
  if (NAT64.check(ip, "ipv6")) return formatIpv4(parseIp(ip) ?? Buffer.alloc(16), 12);
  if (SIX_TO_FOUR.check(ip, "ipv6")) return formatIpv4(parseIp(ip) ?? Buffer.alloc(16), 2);
  return undefined;
}
