/** CIDRs in the spelling that iptables-save uses, so that what is in place can be compared as text. */

import { isIPv4, isIPv6 } from "node:net";
import { Family } from "./types.ts";

/**
 * The network with its host bits cleared and its length always given (`10.1.2.3/8` becomes
 * `10.0.0.0/8`, `::1` becomes `::1/128`), or undefined when the text is no CIDR of the family.
 * Host names are refused: iptables would look them up.
 */
export function normalizeCidr(text: string, family: Family): string | undefined {
  const [address = "", length, ...more] = text.split("/");
  const bits = family === Family.ipv4 ? 32 : 128;
  const valid = family === Family.ipv4 ? isIPv4(address) : isIPv6(address) && !address.includes("%");
  if (!valid || more.length > 0) return undefined;
  if (length !== undefined && !/^(0|[1-9]\d{0,2})$/.test(length)) return undefined;
  const prefix = length === undefined ? bits : Number(length);
  if (prefix > bits) return undefined;
  const value = family === Family.ipv4 ? ipv4Value(address) : ipv6Value(address);
  const hostBits = BigInt(bits - prefix);
  const network = (value >> hostBits) << hostBits;
  return `${family === Family.ipv4 ? ipv4Text(network) : ipv6Text(network)}/${prefix}`;
}

/** iptables-save leaves out a network that is everything. */
export function isEverything(cidr: string): boolean {
  return cidr.endsWith("/0");
}

function ipv4Value(address: string): bigint {
  return address.split(".").reduce((value, part) => (value << 8n) | BigInt(part), 0n);
}

function ipv4Text(value: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 0xffn).join(".");
}

function ipv6Value(address: string): bigint {
  const dotted = /[^:]*\.[^:]*$/.exec(address)?.[0];
  const tail = dotted === undefined ? undefined : ipv4Value(dotted);
  const hex =
    dotted === undefined || tail === undefined
      ? address
      : `${address.slice(0, -dotted.length)}${(tail >> 16n).toString(16)}:${(tail & 0xffffn).toString(16)}`;
  const [head = "", rest] = hex.split("::");
  const before = head === "" ? [] : head.split(":");
  const after = rest === undefined || rest === "" ? [] : rest.split(":");
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => "0");
  return [...before, ...zeros, ...after].reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n);
}

/** As inet_ntop writes it: `::` for the longest run of zeros, a dotted tail for IPv4-mapped addresses. */
function ipv6Text(value: bigint): string {
  if (value >> 32n === 0xffffn) return `::ffff:${ipv4Text(value & 0xffff_ffffn)}`;
  const groups = Array.from({ length: 8 }, (_, i) =>
    ((value >> BigInt(112 - 16 * i)) & 0xffffn).toString(16),
  );
  let best = { start: 0, length: 1 };
  let start = 0;
  groups.forEach((group, i) => {
    if (group !== "0") start = i + 1;
    else if (i + 1 - start > best.length) best = { start, length: i + 1 - start };
  });
  if (best.length < 2) return groups.join(":");
  return `${groups.slice(0, best.start).join(":")}::${groups.slice(best.start + best.length).join(":")}`;
}
