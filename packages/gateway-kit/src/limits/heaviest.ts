/** Counts by key, and finds the key with the highest count. Each step takes the same time with any number of keys. */
export class Heaviest {
  readonly #counts = new Map<string, number>();
  /** The keys with each count, in the order in which they reached it. */
  readonly #ranks = new Map<number, Set<string>>();
  #most = 0;

  count(key: string): number {
    return this.#counts.get(key) ?? 0;
  }

  /** The key with the highest count; of several, the one that reached it first. Undefined when there are no keys. */
  get key(): string | undefined {
    for (const key of this.#ranks.get(this.#most) ?? []) return key;
    return undefined;
  }

  add(key: string): void {
    this.#move(key, this.count(key) + 1);
  }

  /** Takes one off the count of a key that was added. */
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
