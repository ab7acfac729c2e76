/** Counts by key, and knows the key that has most; each step costs the same however many keys there are. */
export class Heaviest {
  readonly #counts = new Map<string, number>();
  /** The keys of each count, in the order in which they came to it. */
  readonly #ranks = new Map<number, Set<string>>();
  #most = 0;

  count(key: string): number {
    return this.#counts.get(key) ?? 0;
  }

  /** The key with the highest count; of several, the one that came to it first. Undefined without any. */
  get key(): string | undefined {
    for (const key of this.#ranks.get(this.#most) ?? []) return key;
    return undefined;
  }

  add(key: string): void {
    this.#move(key, this.count(key) + 1);
  }

  /** One less of a key that was added. */
  remove(key: string): void {
    if (this.#counts.has(key)) this.#move(key, this.count(key) - 1);
  }

  #move(key: string, count: number): void {
    const before = this.count(key);
    const rank = this.#ranks.get(before);
    rank?.delete(key);
    if (rank?.size === 0) this.#ranks.delete(before);
    if (count === 0) this.#counts.delete(key);
    else {
      this.#counts.set(key, count);
      const keys = this.#ranks.get(count) ?? new Set();
      this.#ranks.set(count, keys.add(key));
    }
    // A count changes by one: when the highest rank is empty, its only key is one below.
    if (count > this.#most) this.#most = count;
    else if (before === this.#most && !this.#ranks.has(before)) this.#most = before - 1;
  }
}
