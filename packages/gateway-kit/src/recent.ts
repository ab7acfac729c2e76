/** Room for the ids of each second of the gateway's life: those of the next run are above those of this one. */
const IDS_PER_SECOND = 1_000_000;

/** What `Recent` keeps has a number. */
export interface Numbered {
  /** Grows by one from one to the next, and jumps upwards when the gateway is restarted. */
  readonly id: number;
}

/** The last of what was added, numbered: the oldest make room for new ones. */
export class Recent<T extends Numbered> {
  readonly #capacity: number;
  readonly #kept: T[] = [];
  readonly #listeners = new Set<(added: T) => void>();
  #nextId = Math.floor(Date.now() / 1_000) * IDS_PER_SECOND;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** `make` is given the number of what it makes. */
  push(make: (id: number) => T): void {
    const added = make(this.#nextId++);
    this.#kept.push(added);
    if (this.#kept.length > this.#capacity) this.#kept.splice(this.indexOfSurplus(this.#kept), 1);
    for (const listener of this.#listeners) listener(added);
  }

  /** Which one makes room when there is one too many: the oldest. */
  protected indexOfSurplus(_kept: readonly T[]): number {
    return 0;
  }

  /** What came after `id` and is still known, oldest first. An id from the future is another clock's: all of it. */
  since(id = 0): readonly T[] {
    return this.#kept.filter((kept) => kept.id > id || id >= this.#nextId);
  }

  /** Calls `listener` with all that is added from now on; the result ends that. */
  subscribe(listener: (added: T) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
