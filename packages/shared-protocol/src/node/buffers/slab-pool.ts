import type { BufferPool } from "./buffer-pool.ts";

/**
 * Counts who still uses a pooled buffer of which many hold pieces, and gives it back to its pool after the last.
 *
 * A piece is any view of the buffer: it is known by its memory, not by its bounds. Whoever cuts one piece into
 * several calls `retain` once for each additional one. Views of other memory are ignored throughout.
 */
export class SlabPool {
  readonly #pool: BufferPool;
  // Weak: a piece that is forgotten costs a reuse, not memory.
  readonly #uses = new WeakMap<ArrayBufferLike, number>();

  constructor(pool: BufferPool) {
    this.#pool = pool;
  }

  get slabBytes(): number {
    return this.#pool.bufferBytes;
  }

  /** A whole buffer with one use, that of the caller. */
  open(): Buffer {
    const slab = this.#pool.acquire();
    this.#uses.set(slab.buffer, 1);
    return slab;
  }

  /** One more use of the memory behind `piece`. */
  retain(piece: Uint8Array): void {
    const uses = this.#uses.get(piece.buffer);
    if (uses !== undefined) this.#uses.set(piece.buffer, uses + 1);
  }

  /** One use less. Once too often, and the memory is overwritten under its other users: each piece exactly once. */
  release(piece: Uint8Array): void {
    const uses = this.#uses.get(piece.buffer);
    if (uses === undefined) return;
    if (uses > 1) {
      this.#uses.set(piece.buffer, uses - 1);
      return;
    }
    this.#uses.delete(piece.buffer);
    this.#pool.release(piece);
  }
}
