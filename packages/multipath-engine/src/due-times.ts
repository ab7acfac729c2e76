/** Items by the time at which each is due, the earliest first: a binary heap, in which an item can be moved. */

interface Entry<T> {
  readonly item: T;
  at: number;
  /** Its place in the heap. */
  index: number;
}

export class DueTimes<T> {
  readonly #heap: Entry<T>[] = [];
  readonly #entries = new Map<T, Entry<T>>();

  /** When the first is due; infinity without any. */
  get next(): number {
    return this.#heap[0]?.at ?? Number.POSITIVE_INFINITY;
  }

  /** The item is due at `at` from now on; at infinity never. */
  set(item: T, at: number): void {
    if (at === Number.POSITIVE_INFINITY) return this.delete(item);
    const known = this.#entries.get(item);
    if (known?.at === at) return;
    const entry = known ?? { item, at, index: this.#heap.length };
    entry.at = at;
    if (!known) {
      this.#entries.set(item, entry);
      this.#heap.push(entry);
    }
    this.#restore(entry);
  }

  delete(item: T): void {
    const entry = this.#entries.get(item);
    if (!entry) return;
    this.#entries.delete(item);
    const last = this.#heap.pop() as Entry<T>;
    if (last === entry) return;
    this.#put(last, entry.index);
    this.#restore(last);
  }

  /** Takes out the first, if it is due by `now`. */
  take(now: number): T | undefined {
    const first = this.#heap[0];
    if (!first || first.at > now) return undefined;
    this.delete(first.item);
    return first.item;
  }

  /** Moves an entry to where its time belongs. */
  #restore(entry: Entry<T>): void {
    while (entry.index > 0) {
      const parent = this.#heap[(entry.index - 1) >> 1] as Entry<T>;
      if (parent.at <= entry.at) break;
      this.#swap(parent, entry);
    }
    for (let child = this.#firstChild(entry); child && child.at < entry.at; child = this.#firstChild(entry))
      this.#swap(entry, child);
  }

  #firstChild({ index }: Entry<T>): Entry<T> | undefined {
    const [left, right] = [this.#heap[2 * index + 1], this.#heap[2 * index + 2]];
    return right && left && right.at < left.at ? right : left;
  }

  #swap(above: Entry<T>, below: Entry<T>): void {
    const { index } = above;
    this.#put(above, below.index);
    this.#put(below, index);
  }

  #put(entry: Entry<T>, index: number): void {
    entry.index = index;
    this.#heap[index] = entry;
  }
}
