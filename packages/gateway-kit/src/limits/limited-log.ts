import type { Logger } from "../log.ts";

/** Milliseconds: short enough to follow what happens, long enough that the log does not fill the disk. */
const PERIOD_MS = 10_000;
/** How many lines of one kind are written as they come in each period, by default. */
const LINES_PER_PERIOD = 3;

interface Kind {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly message: string;
  count: number;
}

/**
 * Limits log lines that other people can cause. The first few of a kind in a period are written as they come. One line at
 * the end of the period says how many more there were.
 */
export class LimitedLog {
  readonly #logger: Logger;
  readonly #lines: number;
  readonly #kinds = new Map<string, Kind>();
  #isTimed = false;

  constructor(logger: Logger, lines = LINES_PER_PERIOD) {
    this.#logger = logger;
    this.#lines = lines;
  }

  /** `kind` must be one of a few fixed texts, none that other people choose. */
  write(kind: string, level: Kind["level"], fields: object, message: string): void {
    const seen = this.#kinds.get(kind) ?? { level, message, count: 0 };
    this.#kinds.set(kind, seen);
    seen.count++;
    if (seen.count <= this.#lines) this.#logger[level](fields, message);
    if (this.#isTimed) return;
    this.#isTimed = true;
    setTimeout(() => this.#summarize(), PERIOD_MS).unref();
  }

  #summarize(): void {
    this.#isTimed = false;
    for (const [kind, { level, message, count }] of this.#kinds) {
      const more = count - this.#lines;
      if (more > 0)
        this.#logger[level]({ kind, more, seconds: PERIOD_MS / 1_000 }, `${message}: more of these`);
    }
    this.#kinds.clear();
  }
}
