/**
 * A small seeded generator (Marsaglia's xorshift32): the same seed gives the same losses and the same test bytes on
 * every run. Returns whole numbers in 1 .. 2^32-1.
 */
export function randomSource(seed: number): () => number {
  // Zero is the one state xorshift never leaves; spreading the seed keeps neighbouring seeds apart.
  let state = Math.imul(seed | 0, 0x9e3779b1) | 0 || 0x6d2b79f5;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}
