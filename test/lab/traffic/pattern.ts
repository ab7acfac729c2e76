/**
 * The bytes that travel: pseudo-random, the same for the same seed, of any length. The block repeats, and its length
 * is prime: bytes that arrive shifted, doubled or swapped by whatever power of two a buffer has do not match.
 */
import { createHash } from "node:crypto";
import { randomSource } from "../random.ts";

const BLOCK_BYTES = 4_194_301;
/** The longest piece handed out at once. */
export const PIECE_BYTES = 524_288;

const blocks = new Map<number, Buffer>();
const KEPT_BLOCKS = 8;

export class Pattern {
  // The block, and its beginning once more, so that a piece from anywhere in the block is one view.
  readonly #block: Buffer;

  constructor(seed: number) {
    let block = blocks.get(seed);
    if (block === undefined) {
      block = generate(seed);
      if (blocks.size >= KEPT_BLOCKS) blocks.clear();
      blocks.set(seed, block);
    }
    this.#block = block;
  }

  /** The bytes from `offset` on, at most PIECE_BYTES of them. A view: not to be written to. */
  piece(offset: number, bytes: number): Buffer {
    const start = offset % BLOCK_BYTES;
    return this.#block.subarray(start, start + Math.min(bytes, PIECE_BYTES));
  }

  /** The first position in `data` that differs from the bytes expected at `offset`, or -1. */
  mismatch(offset: number, data: Uint8Array): number {
    for (let at = 0; at < data.length; at += PIECE_BYTES) {
      const part = data.subarray(at, at + PIECE_BYTES);
      const expected = this.piece(offset + at, part.length);
      if (expected.compare(part) === 0) continue;
      return at + part.findIndex((byte, index) => byte !== expected[index]);
    }
    return -1;
  }

  /** The SHA-256 of the first `bytes` bytes. */
  sha256(bytes: number): string {
    const hash = createHash("sha256");
    for (let at = 0; at < bytes; at += PIECE_BYTES) hash.update(this.piece(at, bytes - at));
    return hash.digest("hex");
  }
}

function generate(seed: number): Buffer {
  const words = new Uint32Array(Math.ceil(BLOCK_BYTES / 4));
  const next = randomSource(seed);
  for (let index = 0; index < words.length; index++) words[index] = next();
  const block = Buffer.allocUnsafe(BLOCK_BYTES + PIECE_BYTES);
  block.set(new Uint8Array(words.buffer, 0, BLOCK_BYTES));
  block.copy(block, BLOCK_BYTES, 0, PIECE_BYTES);
  return block;
}
