/**
 * The addresses that `public` in `allow` does not cover: `SPECIAL_RANGES`, addresses that embed one of these, and
 * addresses that the IANA has not given out.
 */

import { BlockList, isIPv4, isIPv6 } from "node:net";
import { SPECIAL_RANGES } from "@hawser/linux-sockets";
import { canonicalIp, formatIp, parseIp } from "@hawser/shared-protocol";

/** The first list that contains an address names the address's kind. */
const LISTS = SPECIAL_RANGES.map(([what, ...ranges]) => {
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
/** RFC 6052: IPv6 addresses that a translator turns into IPv4 addresses. */
const NAT64 = new BlockList();
NAT64.addSubnet("64:ff9b::", 96, "ipv6");
/** RFC 3056: IPv6 addresses that name an IPv4 address as the next hop. */
const SIX_TO_FOUR = new BlockList();
SIX_TO_FOUR.addSubnet("2002::", 16, "ipv6");

/** The kind of an address that is not public, such as "loopback"; undefined for a public one. Any spelling will do. */
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
  if (NAT64.check(ip, "ipv6")) return formatIp((parseIp(ip) ?? Buffer.alloc(16)).subarray(12));
  if (SIX_TO_FOUR.check(ip, "ipv6")) return formatIp((parseIp(ip) ?? Buffer.alloc(16)).subarray(2, 6));
  return undefined;
}
