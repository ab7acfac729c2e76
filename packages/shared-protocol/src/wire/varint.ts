/**
 * QUIC variable-length integers (RFC 9000, section 16), held in JavaScript numbers.
 * The two high bits of the first byte give the length: 1, 2, 4 or 8 bytes, big-endian.
 */

/** Largest value on the wire: 2^53 - 1, so that every value is an exact number. */
export const MAX_VARINT = Number.MAX_SAFE_INTEGER;

const TWO_32 = 0x1_0000_0000;

/** How many bytes `value` takes in a frame. */
export function varintLength(value: number): 1 | 2 | 4 | 8 {
  if (value < 0x40) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x4000_0000) return 4;
  return 8;
}

/** Writes `value` (an integer in 0..MAX_VARINT) at `at` and returns the position behind it. */
export function writeVarint(target: Uint8Array, at: number, value: number): number {
  if (value < 0x40) {
    target[at] = value;
    return at + 1;
  }
  if (value < 0x4000) {
    target[at] = 0x40 | (value >> 8);
    target[at + 1] = value & 0xff;
    return at + 2;
  }
  if (value < 0x4000_0000) return write32(target, at, value, 0x80);
  const high = Math.floor(value / TWO_32);
  write32(target, at, high, 0xc0);
  return write32(target, at + 4, value % TWO_32, 0);
}

function write32(target: Uint8Array, at: number, value: number, prefix: number): number {
  target[at] = prefix | (value >>> 24);
  target[at + 1] = (value >>> 16) & 0xff;
  target[at + 2] = (value >>> 8) & 0xff;
  target[at + 3] = value & 0xff;
  return at + 4;
}

/** Reads the integer whose first byte is at `at`. The caller has checked that all of its bytes are there. */
export function readVarint(source: Uint8Array, at: number): number {
  const first = source[at] as number;
  switch (first >> 6) {
    case 0:
      return first;
    case 1:
      return ((first & 0x3f) << 8) | (source[at + 1] as number);
    case 2:
      return read32(source, at, 0x3f);
    default:
      return read32(source, at, 0x3f) * TWO_32 + read32(source, at + 4, 0xff);
  }
}

function read32(source: Uint8Array, at: number, mask: number): number {
  return (
    ((source[at] as number) & mask) * 0x100_0000 +
    (((source[at + 1] as number) << 16) | ((source[at + 2] as number) << 8) | (source[at + 3] as number))
  );
}
