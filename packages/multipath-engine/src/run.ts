/**
 * Bytes below this are copied: a view on them is more than they are. So are those that fill less of their buffer than
 * this share: an honest peer's fill it, but for a frame's header.
 */
const GATHER_BELOW = 1_024;
const FILL = 0.75;
/** A run of small pieces is at most this long. */
const GATHER_SIZE = 16_384;
/** By which it grows, as a share and at least, bytes: more would be memory that nobody accounts for. */
const GROWTH = 0.25;
const LEAST_GROWTH = 128;

/** Bytes in a row: one piece as it came, or small ones that follow each other, copied together. */
export class Run {
  readonly start: number;
  #memory: Uint8Array;
  #length: number;
  readonly #isGathered: boolean;

  constructor(start: number, bytes: Uint8Array) {
    this.start = start;
    this.#length = bytes.length;
    this.#isGathered = isWasteful(bytes);
    this.#memory = this.#isGathered ? copy(bytes, bytes.length) : bytes;
  }

  get end(): number {
    return this.start + this.#length;
  }

  get bytes(): Uint8Array {
    return this.#length === this.#memory.length ? this.#memory : this.#memory.subarray(0, this.#length);
  }

  /** Takes in the bytes that follow, if these and its own are small. */
  append(bytes: Uint8Array): boolean {
    const length = this.#length + bytes.length;
    if (!this.#isGathered || length > GATHER_SIZE || !isWasteful(bytes)) return false;
    if (length > this.#memory.length) this.#memory = copy(this.bytes, grown(length));
    this.#memory.set(bytes, this.#length);
    this.#length = length;
    return true;
  }
}

function isWasteful(bytes: Uint8Array): boolean {
  return bytes.length < GATHER_BELOW || bytes.length < FILL * bytes.buffer.byteLength;
}

function grown(length: number): number {
  return Math.min(GATHER_SIZE, length + Math.max(LEAST_GROWTH, Math.ceil(GROWTH * length)));
}

/** Not from the pool: a few bytes would pin its block. */
function copy(bytes: Uint8Array, size: number): Buffer {
  const memory = Buffer.allocUnsafeSlow(size);
  memory.set(bytes);
  return memory;
}
