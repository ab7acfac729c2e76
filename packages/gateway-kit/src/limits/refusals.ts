import type { Logger } from "../log.ts";
import { LimitedLog } from "./limited-log.ts";

/** How many connections or flows a gateway has refused for one reason. */
export interface RefusalCount {
  /** `subflow`, `redirect`, `socks`, `forward`, `connect`. */
  readonly listener: string;
  readonly reason: string;
  readonly count: number;
}

/** Counts the connections and flows that a gateway has refused since its start, and logs them in limited number. */
export class Refusals {
  readonly #log: LimitedLog;
  readonly #counts = new Map<string, { listener: string; reason: string; count: number }>();

  constructor(logger: Logger) {
    this.#log = new LimitedLog(logger);
  }

  /** Both names must be of a few fixed ones: they become labels of a metric. */
  note(
    { listener, reason }: Omit<RefusalCount, "count">,
    level: "debug" | "info" | "warn" | "error",
    fields: object,
    message: string,
  ): void {
    const kind = `${listener} ${reason}`;
    const entry = this.#counts.get(kind) ?? { listener, reason, count: 0 };
    this.#counts.set(kind, entry);
    entry.count++;
    this.#log.write(kind, level, { ...fields, reason }, message);
  }

  get counts(): readonly RefusalCount[] {
    return [...this.#counts.values()];
  }
}
