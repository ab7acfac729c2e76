import type { Logger } from "../log.ts";
import { LimitedLog } from "./limited-log.ts";

/** Connections and flows that a gateway turned away, of one listener and for one reason. */
export interface RefusalCount {
  /** `subflow`, `redirect`, `socks`, `forward`, `connect`. */
  readonly listener: string;
  readonly reason: string;
  readonly count: number;
}

/** Whom a gateway has turned away since its start: counted for the metrics, and logged without filling the log. */
export class Refusals {
  readonly #log: LimitedLog;
  readonly #counts = new Map<string, { listener: string; reason: string; count: number }>();

  constructor(logger: Logger) {
    this.#log = new LimitedLog(logger);
  }

  /** Both names are a few fixed ones: they become labels of a metric. */
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
