/** The first packet of a LAN client's connection, as the input chain sees it behind the REDIRECT. */

import { BlockList, isIP } from "node:net";
import type { Family } from "iptables-wrapper";
import { all, isSo, type Match, not } from "./packet-fate.ts";

export interface RedirectedPacket {
  readonly family: Family;
  readonly inInterface: string;
  /** The capture listener's. */
  readonly port: number;
  /** The addresses of the interface with their prefix, of that family: clients are in there, and REDIRECT goes to one. */
  readonly prefixes: readonly string[];
}

/** By the name as iptables (`eth+`) or nft (`eth*`) writes it. */
export function isInterface({ inInterface }: RedirectedPacket, name: string): Match {
  if (!/[+*]$/.test(name)) return isSo(name === inInterface);
  return isSo(inInterface.startsWith(name.slice(0, -1)));
}

/** Whether it comes from a range. */
export function isFrom(packet: RedirectedPacket, cidr: string): Match {
  return ofPrefixes(packet, cidr, (prefixLength) => prefixLength);
}

/** Whether it goes to a range: REDIRECT has made its destination an address of the interface. */
export function isTo(packet: RedirectedPacket, cidr: string): Match {
  return ofPrefixes(packet, cidr, () => 128);
}

/** `width` is how narrow a range may be that still has all of what is meant. */
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
