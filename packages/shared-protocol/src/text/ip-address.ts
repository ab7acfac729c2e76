import { isIP, isIPv4, isIPv6, SocketAddress } from "node:net";

const MAPPED_PREFIX = "::ffff:";

/**
 * Writes an address of 4 bytes in dotted form, and one of 16 bytes as RFC 5952 section 4 wants it: lower case, no leading
 * zeros, the first longest run of two or more zero groups as `::`. IPv4-mapped addresses keep their dotted tail (section 5).
 */
export function formatIp(bytes: Uint8Array): string {
  return bytes.length === 4 ? bytes.join(".") : formatIpv6(bytes);
}

function formatIpv6(bytes: Uint8Array): string {
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push(((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0));
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return MAPPED_PREFIX + formatIp(bytes.subarray(12));
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

/** The 4 or 16 bytes of an IP literal, in network order; undefined when the text is none. A zone after `%` is left out. */
export function parseIp(text: string): Buffer | undefined {
  const literal = withoutZone(text);
  if (isIPv4(literal)) return Buffer.from(literal.split(".").map(Number));
  if (!isIPv6(literal)) return undefined;
  // SocketAddress gives every spelling one text, with a dotted tail for mapped addresses.
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

/**
 * One text for each address: IPv4-mapped ones (`::ffff:192.0.2.1` in any spelling) as `192.0.2.1`, other IPv6 as in RFC 5952.
 * A text that is no IP literal comes back as it is.
 */
export function canonicalIp(text: string): string {
  if (isIP(text) === 4) return text;
  const bytes = parseIp(text);
  if (bytes === undefined) return text;
  const canonical = formatIp(bytes);
  const mapped = canonical.startsWith(MAPPED_PREFIX) ? canonical.slice(MAPPED_PREFIX.length) : "";
  // Without a dotted tail it is another kind of address: ::ffff:0:7f00:1 (RFC 2765).
  return isIPv4(mapped) ? mapped : canonical;
}

function withoutZone(text: string): string {
  const percent = text.indexOf("%");
  return percent < 0 ? text : text.slice(0, percent);
}
