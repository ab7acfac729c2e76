import { ARRIVAL_SILENCE } from "./parameters.ts";
import { isLiving } from "./role-policy.ts";
import type { Stream } from "./stream.ts";
import type { Subflow } from "./subflow.ts";

/**
 * What the peer is told on another line of one that has brought nothing for a while (ARRIVED of SPEC.md, section 4). On a
 * line that died, half a round trip of bytes had arrived, and their ACKs were lost with it: without a word the peer sends
 * them again first, and the reader waits that much longer for what is really missing.
 */
export class ArrivalReports {
  /** Streams of which something has come before what comes first. */
  readonly #gapped = new Set<Stream>();
  /** Lines of which the peer is to be told. */
  readonly #due = new Set<number>();

  noteGap(stream: Stream, hasGap: boolean): void {
    if (hasGap) this.#gapped.add(stream);
    else this.#gapped.delete(stream);
  }

  /** The peer has sent again what is here: it does not know. */
  noteRepeat(subflows: Iterable<Subflow>, now: number): void {
    for (const subflow of subflows) if (silentAt(subflow) <= now) this.#due.add(subflow.id);
  }

  forget(stream: Stream): void {
    this.#gapped.delete(stream);
  }

  /** The line has brought something: its own ACKs tell. */
  handleReceived(subflow: number): void {
    this.#due.delete(subflow);
  }

  /** Takes the time in: some line may have been silent for long enough. */
  handleTime(subflows: Iterable<Subflow>, now: number): void {
    for (const subflow of subflows) if (this.#dueAt(subflow) <= now) this.#due.add(subflow.id);
  }

  /**
   * What is due to be told on `line`, each once; a report that is lost with its line is not repeated. One that is silent
   * itself tells nothing as long as there are others.
   */
  *take(line: Subflow, subflows: ReadonlyMap<number, Subflow>): IterableIterator<Subflow> {
    const isSilent = ({ id }: Subflow): boolean => this.#due.has(id);
    if (this.#due.size === 0 || (isSilent(line) && ![...subflows.values()].filter(isLiving).every(isSilent)))
      return;
    for (const id of this.#due) {
      if (id === line.id) continue;
      this.#due.delete(id);
      const silent = subflows.get(id);
      if (silent) yield silent;
    }
  }

  nextTimeout(subflows: Iterable<Subflow>): number {
    let next = Number.POSITIVE_INFINITY;
    for (const subflow of subflows) next = Math.min(next, this.#dueAt(subflow));
    return next;
  }

  #dueAt(subflow: Subflow): number {
    return this.#gapped.size === 0 || this.#due.has(subflow.id)
      ? Number.POSITIVE_INFINITY
      : silentAt(subflow);
  }
}

/** When a line that has brought something has then brought nothing for long enough. */
function silentAt({ receipt }: Subflow): number {
  return receipt.hasUnreported ? receipt.at + ARRIVAL_SILENCE : Number.POSITIVE_INFINITY;
}
