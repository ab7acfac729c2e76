import { Random } from "@hawser/shared-protocol/testing";

/** A prime, so that no chunk size or buffer size divides it and a misplaced range shows. */
const PERIOD = 1_000_003;
const OVERLAP = 262_144;

const pattern = Buffer.allocUnsafe(PERIOD + OVERLAP);
const random = new Random(20_260_101);
for (let i = 0; i < PERIOD; i++) pattern[i] = random.integer(0, 255);
pattern.copy(pattern, PERIOD, 0, OVERLAP);

/** Bytes [offset, offset + length) of the content of number `key`; a view, at most 256 KB long. */
export function content(key: number, offset: number, length: number): Buffer {
  // A peer may name any stream: the product must stay exact.
  const from = (offset + (key % PERIOD) * 7_919) % PERIOD;
  return pattern.subarray(from, from + length);
}

/** Whether `bytes` are the content's bytes at `offset`. */
export function isContent(key: number, offset: number, bytes: Uint8Array): boolean {
  return content(key, offset, bytes.length).equals(bytes);
}
