import { isIP } from "node:net";
import { type Parsed, parsed, problem } from "@hawser/shared-protocol";

/** A range of addresses. The bits of `address` after `prefix` are as the user wrote them. */
export interface Cidr {
  readonly family: 4 | 6;
  readonly address: string;
  /** Bits: 0..32 for IPv4, 0..128 for IPv6. */
  readonly prefix: number;
}

/** `ADDRESS/PREFIX`; a bare address is the range of itself alone (/32 or /128). */
export function parseCidr(text: string): Parsed<Cidr> {
  const match = /^([^/]*)(?:\/(.*))?$/.exec(text);
  const address = match?.[1] ?? "";
  const bits = match?.[2];
  const family = isIP(address);
  if ((family !== 4 && family !== 6) || address.includes("%")) {
    return problem(`${JSON.stringify(text)} is not an address range such as 192.168.0.0/16 or 2001:db8::/32`);
  }
  const longest = family === 4 ? 32 : 128;
  if (bits === undefined) return parsed({ family, address, prefix: longest });
  if (!/^\d{1,3}$/.test(bits) || Number(bits) > longest) {
    return problem(
      `${JSON.stringify(text)}: the prefix of an IPv${family} range is a number from 0 to ${longest}`,
    );
  }
  return parsed({ family, address, prefix: Number(bits) });
}

/** Writes `ADDRESS/PREFIX`. */
export function formatCidr({ address, prefix }: Cidr): string {
  return `${address}/${prefix}`;
}
