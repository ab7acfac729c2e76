import { codeName, StreamCode } from "@hawser/shared-protocol";
import type { EventLog } from "./event-log.ts";

/** Failures are counted for this long before an event tells of them, ms: a browser alone can have hundreds. */
const WINDOW_MS = 60_000;

/** Counts flows by reason, and tells the counts of each minute that had any. */
class FlowCounts {
  readonly #tell: (text: string) => void;
  readonly #counts = new Map<string, number>();

  /** `tell` gets a text like `3 flows WHAT within a minute: 2 memory, 1 rate`. */
  constructor(what: string, tell: (text: string) => void) {
    this.#tell = (each) => tell(`${this.#sum()} ${what} within a minute: ${each}`);
  }

  /** Reasons are few: each is kept for a minute. */
  note(reason: string): void {
    const isFirst = this.#counts.size === 0;
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1);
    if (isFirst) setTimeout(() => this.#handleEnd(), WINDOW_MS).unref();
  }

  #handleEnd(): void {
    const reasons = [...this.#counts].toSorted(([, a], [, b]) => b - a);
    this.#tell(reasons.map(([reason, count]) => `${count} ${reason}`).join(", "));
    this.#counts.clear();
  }

  #sum(): string {
    const sum = [...this.#counts.values()].reduce((total, count) => total + count, 0);
    return sum === 1 ? "1 flow" : `${sum} flows`;
  }
}

/** Flows of one peer that were cut or never opened, and those that limits refused. */
export class FlowFailures {
  readonly #failed: FlowCounts;
  readonly #refused: FlowCounts;

  constructor(log: EventLog, peer: string) {
    this.#failed = new FlowCounts("failed", (text) => log.add("flows-failed", text, { peer }));
    this.#refused = new FlowCounts("refused", (text) => log.add("flows-refused", text, { peer }));
  }

  /** A flow was cut or never opened. An application's own reset is no failure. */
  note(code: StreamCode): void {
    if (code === StreamCode.reset) return;
    // A newer peer may have codes that this gateway cannot name: they count as one reason.
    const name = codeName(StreamCode, code);
    this.#failed.note(name in StreamCode ? name : "other");
  }

  /** This gateway had no room for a flow. The reason is the name of the limit. */
  noteRefused(reason: string): void {
    this.#refused.note(reason);
  }
}
