import { addressOf } from "./syscalls.ts";

/** Room for one packet: above the MTU of 1500, a whole number of cache lines. */
export const SLOT_BYTES = 1600;

/**
 * Memory for the packets under way, in slots of one size. Free slots form a stack. The slot that was freed last is used
 * next and is still in the cache; slots that are never needed never become real memory.
 */
export class PacketPool {
  readonly #memory: Uint8Array;
  readonly #base: number;
  readonly #free: Int32Array;
  #count: number;

  constructor(slots: number) {
    this.#memory = new Uint8Array(new ArrayBuffer(slots * SLOT_BYTES));
    this.#base = addressOf(this.#memory);
    this.#free = Int32Array.from({ length: slots }, (_, index) => slots - 1 - index);
    this.#count = slots;
  }

  /** A free slot, or -1. */
  acquire(): number {
    return this.#count === 0 ? -1 : (this.#free[--this.#count] as number);
  }

  release(slot: number): void {
    this.#free[this.#count++] = slot;
  }

  addressOf(slot: number): number {
    return this.#base + slot * SLOT_BYTES;
  }
}
