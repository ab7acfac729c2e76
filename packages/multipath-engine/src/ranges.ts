/** A set of integers held as sorted, disjoint, non-touching half-open ranges. Small in practice: one per gap. */
export class RangeSet {
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];

  get size(): number {
    return this.#starts.length;
  }

  /** The first range, or undefined when the set is empty. */
  first(): { start: number; end: number } | undefined {
    const start = this.#starts[0];
    return start === undefined ? undefined : { start, end: this.#ends[0] as number };
  }

  has(value: number): boolean {
    const at = this.#firstEndingAfter(value);
    return at < this.#starts.length && (this.#starts[at] as number) <= value;
  }

  /** Adds [start, end); touching and overlapping ranges become one. */
  add(start: number, end: number): void {
    if (start >= end) return;
    const from = this.#firstEndingAt(start);
    let to = from;
    let low = start;
    let high = end;
    while (to < this.#starts.length && (this.#starts[to] as number) <= end) {
      low = Math.min(low, this.#starts[to] as number);
      high = Math.max(high, this.#ends[to] as number);
      to++;
    }
    this.#starts.splice(from, to - from, low);
    this.#ends.splice(from, to - from, high);
  }

  /** Takes [start, end) out. */
  remove(start: number, end: number): void {
    if (start >= end) return;
    const from = this.#firstEndingAfter(start);
    let to = from;
    const starts: number[] = [];
    const ends: number[] = [];
    while (to < this.#starts.length && (this.#starts[to] as number) < end) {
      const rangeStart = this.#starts[to] as number;
      const rangeEnd = this.#ends[to] as number;
      if (rangeStart < start) {
        starts.push(rangeStart);
        ends.push(start);
      }
      if (rangeEnd > end) {
        starts.push(end);
        ends.push(rangeEnd);
      }
      to++;
    }
    this.#starts.splice(from, to - from, ...starts);
    this.#ends.splice(from, to - from, ...ends);
  }

  /** Those parts of [start, end) that are not in the set, in order. */
  gaps(start: number, end: number): { start: number; end: number }[] {
    const gaps: { start: number; end: number }[] = [];
    let at = start;
    for (let i = this.#firstEndingAfter(start); i < this.#starts.length && at < end; i++) {
      const rangeStart = this.#starts[i] as number;
      if (rangeStart >= end) break;
      if (rangeStart > at) gaps.push({ start: at, end: rangeStart });
      at = this.#ends[i] as number;
    }
    if (at < end) gaps.push({ start: at, end });
    return gaps;
  }

  /** If the first range starts at or before `value`, takes it out and returns its end; otherwise returns `value`. */
  advance(value: number): number {
    let at = value;
    while (this.#starts.length > 0 && (this.#starts[0] as number) <= at) {
      at = Math.max(at, this.#ends.shift() as number);
      this.#starts.shift();
    }
    return at;
  }

  #firstEndingAfter(value: number): number {
    return this.#search((end) => end > value);
  }

  #firstEndingAt(value: number): number {
    return this.#search((end) => end >= value);
  }

  #search(holds: (end: number) => boolean): number {
    let low = 0;
    let high = this.#ends.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (holds(this.#ends[middle] as number)) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
