import type { Logger } from "../log.ts";

/** Milliseconds. Often enough to follow what goes on, seldom enough to fill no disk. */
const PERIOD_MS = 10_000;
/** Lines of one kind that are written as they come in a period, unless told otherwise. */
const LINES_PER_PERIOD = 3;

interface Kind {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly message: string;
  count: number;
}

/**
 * Log lines that others can cause: the first few of a kind as they come, and then one for all that followed until the
 * period's end, with their number.
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

  /** `kind` is one of a few: not a text that others choose. */
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
