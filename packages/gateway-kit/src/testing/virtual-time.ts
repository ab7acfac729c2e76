import { mock } from "node:test";

interface Entry {
  at: number;
  readonly run: () => void;
  readonly every: number | undefined;
}

/**
 * For tests: performance.now() and the timers of this process, which stand still until time passes. (Node's own mock of
 * timers runs one twice when it asks for a setImmediate that is due before it.)
 */
export class VirtualTime {
  now = 1_000;
  /** Calls of setTimeout. */
  timeouts = 0;
  readonly #entries = new Set<Entry>();
  #immediates: (() => void)[] = [];

  install(): void {
    mock.method(performance, "now", () => this.now);
    const add = (run: () => void, ms: number, every?: number): object => {
      const entry = { at: this.now + Math.max(1, ms), run, every };
      this.#entries.add(entry);
      return Object.assign(entry, { ref: () => entry, unref: () => entry });
    };
    const remove = (entry: unknown): void => void this.#entries.delete(entry as Entry);
    const timers: Record<string, (...args: never[]) => unknown> = {
      setTimeout: (run: () => void, ms: number) => {
        this.timeouts++;
        return add(run, ms);
      },
      setInterval: (run: () => void, ms: number) => add(run, ms, ms),
      setImmediate: (run: () => void) => this.#immediates.push(run),
      clearTimeout: remove,
      clearInterval: remove,
    };
    for (const [name, method] of Object.entries(timers))
      mock.method(globalThis, name as "setTimeout", method as never);
  }

  /** What waits for the end of this phase of the event loop happens; no time passes. */
  settle(): void {
    for (const run of this.#immediates.splice(0)) run();
  }

  /** So many milliseconds pass, and all that is due in them happens. */
  pass(ms = 1): void {
    const end = this.now + ms;
    this.settle();
    for (let next = this.#next(end); next; next = this.#next(end)) {
      this.now = Math.max(this.now, next.at);
      if (next.every === undefined) this.#entries.delete(next);
      else next.at += next.every;
      next.run();
      this.settle();
    }
    this.now = end;
  }

  #next(end: number): Entry | undefined {
    let first: Entry | undefined;
    for (const entry of this.#entries)
      if (entry.at <= end && entry.at < (first?.at ?? Number.POSITIVE_INFINITY)) first = entry;
    return first;
  }
}
