import { codeName, StreamCode } from "../../wire/codes.ts";
import type { EventLog } from "./event-log.ts";

/** Failures are counted for so long before they are told, milliseconds: a browser's refused connections are many. */
const WINDOW_MS = 60_000;

/** Tells of flows that failed in bulk: one event for each minute in which some did, with their reasons. */
export class FlowFailures {
  readonly #log: EventLog;
  readonly #peer: string;
  readonly #counts = new Map<string, number>();
  #isCounting = false;

  constructor(log: EventLog, peer: string) {
    this.#log = log;
    this.#peer = peer;
  }

  /** A flow was cut or never opened. An application's own reset is no failure. */
  note(code: StreamCode): void {
    if (code === StreamCode.reset) return;
    // A newer peer's codes are many; those without a name are one reason.
    const name = codeName(StreamCode, code);
    const reason = name in StreamCode ? name : "other";
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1);
    if (this.#isCounting) return;
    this.#isCounting = true;
    setTimeout(() => this.#tell(), WINDOW_MS).unref();
  }

  #tell(): void {
    this.#isCounting = false;
    const reasons = [...this.#counts].toSorted(([, a], [, b]) => b - a);
    const sum = reasons.reduce((total, [, count]) => total + count, 0);
    this.#counts.clear();
    const flows = sum === 1 ? "1 flow" : `${sum} flows`;
    const each = reasons.map(([reason, count]) => `${count} ${reason}`).join(", ");
    this.#log.add("flows-failed", `${flows} failed within a minute: ${each}`, { peer: this.#peer });
  }
}
