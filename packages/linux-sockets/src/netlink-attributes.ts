/**
 * Attributes of netlink messages (`struct nlattr` of linux/netlink.h, netlink(7)), in the machine's byte order:
 *
 * ```
 *  0        2        4               length
 * | length | type   | value ...     | padding to 4 |
 * ```
 *
 * `length` counts the four bytes of the header and not the padding. A nested attribute's value is attributes again.
 */

const HEADER_BYTES = 4;
/** Set in the type of an attribute whose value is attributes, and of one whose value is in network byte order. */
const NESTED = 0x8000;
const NETWORK_ORDER = 0x4000;
const TYPE_MASK = 0x3fff;

/** Whether this machine has the low byte first. */
export const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** What a message's attributes say, by type, from `offset` to the end. What is cut off or garbled is left out. */
export function readAttributes(bytes: Buffer, offset = 0): Map<number, Buffer> {
  const found = new Map<number, Buffer>();
  for (const [type, value] of listAttributes(bytes, offset)) found.set(type, value);
  return found;
}

/** The same in their order, for lists in which a type comes several times. */
export function listAttributes(bytes: Buffer, offset = 0): [type: number, value: Buffer][] {
  const found: [number, Buffer][] = [];
  let at = offset;
  while (at + HEADER_BYTES <= bytes.length) {
    const length = readU16(bytes, at);
    if (length < HEADER_BYTES || at + length > bytes.length) break;
    found.push([readU16(bytes, at + 2) & TYPE_MASK, bytes.subarray(at + HEADER_BYTES, at + length)]);
    at += aligned(length);
  }
  return found;
}

/** One attribute, padded. A number takes 4 bytes in the machine's order, a text ends with a zero. */
export function attribute(type: number, value: Buffer | number | string): Buffer {
  const bytes = typeof value === "number" ? u32(value) : Buffer.from(value);
  const end = typeof value === "string" ? bytes.length + 1 : bytes.length;
  const padded = Buffer.alloc(aligned(HEADER_BYTES + end));
  writeU16(padded, HEADER_BYTES + end, 0);
  writeU16(padded, type, 2);
  padded.set(bytes, HEADER_BYTES);
  return padded;
}

/** An attribute whose value is attributes. */
export function nestedAttribute(type: number, attributes: readonly Buffer[]): Buffer {
  return attribute(type | NESTED, Buffer.concat(attributes));
}

/** An attribute whose value is in network byte order and is marked so: ipset wants its numbers like this. */
export function networkOrderAttribute(type: number, value: Buffer): Buffer {
  return attribute(type | NETWORK_ORDER, value);
}

export function aligned(length: number): number {
  return (length + 3) & ~3;
}

export function readU16(bytes: Buffer, offset: number): number {
  return LITTLE_ENDIAN ? bytes.readUInt16LE(offset) : bytes.readUInt16BE(offset);
}

export function readU32(bytes: Buffer, offset: number): number {
  return LITTLE_ENDIAN ? bytes.readUInt32LE(offset) : bytes.readUInt32BE(offset);
}

export function writeU16(bytes: Buffer, value: number, offset: number): void {
  if (LITTLE_ENDIAN) bytes.writeUInt16LE(value, offset);
  else bytes.writeUInt16BE(value, offset);
}

export function writeU32(bytes: Buffer, value: number, offset: number): void {
  if (LITTLE_ENDIAN) bytes.writeUInt32LE(value, offset);
  else bytes.writeUInt32BE(value, offset);
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  writeU32(bytes, value, 0);
  return bytes;
}
