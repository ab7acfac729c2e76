import { isIP, isIPv4, isIPv6, SocketAddress } from "node:net";

const MAPPED_PREFIX = "::ffff:";

/** An IPv4 address of 4 bytes at `offset`, in dotted form. */
export function formatIpv4(bytes: Uint8Array, offset = 0): string {
  return `${bytes[offset]}.${bytes[offset + 1]}.${bytes[offset + 2]}.${bytes[offset + 3]}`;
}

/**
 * An IPv6 address of 16 bytes at `offset`, as RFC 5952 section 4 wants it: lower case, no leading zeros, the first
 * longest run of two or more zero groups as `::`. IPv4-mapped addresses keep their dotted tail (section 5).
 */
export function formatIpv6(bytes: Uint8Array, offset = 0): string {
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) {
    groups.push(((bytes[offset + i] ?? 0) << 8) | (bytes[offset + i + 1] ?? 0));
  }
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return MAPPED_PREFIX + formatIpv4(bytes, offset + 12);
  }
  const run = longestZeroRun(groups);
  const text = (from: number, to: number): string =>
    groups
      .slice(from, to)
      .map((group) => group.toString(16))
      .join(":");
  return run.length < 2 ? text(0, 8) : `${text(0, run.start)}::${text(run.start + run.length, 8)}`;
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start++) {
    let length = 0;
    while (groups[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  return best;
}

/** An address of 4 or 16 bytes. */
export function formatIp(bytes: Uint8Array): string {
  return bytes.length === 4 ? formatIpv4(bytes) : formatIpv6(bytes);
}

/** The 4 or 16 bytes of an IP literal (a zone after `%` is ignored), or undefined when it is none. */
export function parseIp(text: string): Buffer | undefined {
  const literal = withoutZone(text);
  if (isIPv4(literal)) return Buffer.from(literal.split(".").map(Number));
  if (!isIPv6(literal)) return undefined;
  // The URL parser's and the socket layer's texts differ on mapped addresses; expand by hand from one of them.
  return expandIpv6(new SocketAddress({ address: literal, family: "ipv6" }).address);
}

function expandIpv6(text: string): Buffer {
  const dotted = text.slice(text.lastIndexOf(":") + 1);
  const tail = isIPv4(dotted) ? dotted.split(".").map(Number) : undefined;
  const plain = tail === undefined ? text : `${text.slice(0, -dotted.length)}0:0`;
  const [head = "", rest] = plain.split("::");
  const left = head === "" ? [] : head.split(":");
  const right = rest === undefined || rest === "" ? [] : rest.split(":");
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => "0");
  const bytes = Buffer.alloc(16);
  for (const [index, group] of [...left, ...zeros, ...right].entries()) {
    bytes.writeUInt16BE(Number.parseInt(group, 16), index * 2);
  }
  if (tail !== undefined) bytes.set(tail, 12);
  return bytes;
}

/** `::ffff:192.0.2.1` (in any spelling) as `192.0.2.1`; other literals in canonical text; other texts untouched. */
export function canonicalIp(text: string): string {
  if (isIP(text) === 4) return text;
  const bytes = parseIp(text);
  if (bytes === undefined) return text;
  const canonical = formatIpv6(bytes);
  const mapped = canonical.startsWith(MAPPED_PREFIX) ? canonical.slice(MAPPED_PREFIX.length) : "";
  // ::ffff:0:7f00:1 is another kind of address.
  return isIPv4(mapped) ? mapped : canonical;
}

function withoutZone(text: string): string {
  const percent = text.indexOf("%");
  return percent < 0 ? text : text.slice(0, percent);
}
