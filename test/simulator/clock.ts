interface Entry {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

/** Virtual time: a heap of things to come. Things due at the same time happen in the order they were asked for. */
export class Clock {
  now = 1_000;
  readonly #heap: Entry[] = [];
  #orders = 0;
  #stopped = false;

  at(time: number, run: () => void): void {
    this.#push({ at: Math.max(time, this.now), order: this.#orders++, run });
  }

  after(delay: number, run: () => void): void {
    this.at(this.now + delay, run);
  }

  /** Ends the present `runUntil` after the event under way. */
  stop(): void {
    this.#stopped = true;
  }

  /** Runs everything due before `end`; the clock then stands at `end`, or where it was stopped. */
  runUntil(end: number): void {
    this.#stopped = false;
    while (!this.#stopped) {
      const head = this.#heap[0];
      if (!head || head.at > end) {
        this.now = Math.max(this.now, end);
        return;
      }
      this.#pop();
      this.now = head.at;
      head.run();
    }
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(entry, heap[parent] as Entry)) break;
      heap[at] = heap[parent] as Entry;
      at = parent;
    }
    heap[at] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Entry;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1] as Entry, heap[child] as Entry)) child++;
      if (!before(heap[child] as Entry, last)) break;
      heap[at] = heap[child] as Entry;
      at = child;
    }
    heap[at] = last;
  }
}

function before(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
