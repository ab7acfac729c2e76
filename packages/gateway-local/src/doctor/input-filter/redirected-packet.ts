/** The first packet of a LAN client's connection, as the input chain sees it after REDIRECT. */

import { BlockList, isIP } from "node:net";
import type { Family } from "iptables-wrapper";
import { all, isSo, type Match, not } from "./packet-fate.ts";

export interface RedirectedPacket {
  readonly family: Family;
  readonly inInterface: string;
  /** The port of the capture listener. */
  readonly port: number;
  /**
   * The interface's addresses of that family, with their prefix. Clients are within a prefix; REDIRECT goes to one of
   * the addresses.
   */
  readonly prefixes: readonly string[];
}

/** `name` may be a pattern as iptables (`eth+`) or nft (`eth*`) writes it. */
export function isInterface({ inInterface }: RedirectedPacket, name: string): Match {
  if (!/[+*]$/.test(name)) return isSo(name === inInterface);
  return isSo(inInterface.startsWith(name.slice(0, -1)));
}

/** Whether the packet comes from a range of addresses. */
export function isFrom(packet: RedirectedPacket, cidr: string): Match {
  return ofPrefixes(packet, cidr, (prefixLength) => prefixLength);
}

/** Whether the packet goes to a range of addresses. REDIRECT has made its destination an address of the interface. */
export function isTo(packet: RedirectedPacket, cidr: string): Match {
  return ofPrefixes(packet, cidr, () => 128);
}

/** `width`: a range with this prefix length or a shorter one contains every packet in question. */
function ofPrefixes(packet: RedirectedPacket, cidr: string, width: (length: number) => number): Match {
  const [network = "", bits] = cidr.split("/");
  const family = isIP(network);
  if (family === 0 || (bits !== undefined && !/^\d+$/.test(bits))) return "maybe";
  if (family !== (packet.family === "ipv6" ? 6 : 4)) return "no";
  const length = Number(bits ?? (family === 6 ? 128 : 32));
  if (length === 0) return "yes";
  if (packet.prefixes.length === 0) return "maybe";
  const range = new BlockList();
  range.addSubnet(network, length, packet.family);
  const each = packet.prefixes.map((prefix): Match => {
    const [address = "", own = "0"] = prefix.split("/");
    if (width(Number(own)) >= length) return isSo(range.check(address, packet.family));
    const whole = new BlockList();
    whole.addSubnet(address, Number(own), packet.family);
    return whole.check(network, packet.family) ? "maybe" : "no";
  });
  const isIn = all(each);
  return isIn === "no" && all(each.map(not)) !== "yes" ? "maybe" : isIn;
}

/** Whether a port, or a range as iptables (`1:9`) or nft (`[1, 9]`) writes it, has the packet's. */
export function isPort({ port }: RedirectedPacket, written: string): Match {
  const [from, to = from] = written.split(/[:-]/).map((text) => (text === "" ? undefined : Number(text)));
  return isSo(port >= (from ?? 0) && port <= (to ?? 65_535));
}
