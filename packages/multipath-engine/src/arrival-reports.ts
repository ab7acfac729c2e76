import { ARRIVAL_SILENCE } from "./parameters.ts";
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
  /** Lines that have brought more of streams than the peer was told on another one. */
  readonly #unreported = new Set<Subflow>();
  /** Those of them of which the peer is to be told. */
  readonly #due = new Set<Subflow>();

  /** The peer is to be told of some line. */
  get isDue(): boolean {
    return this.#due.size > 0;
  }

  noteGap(stream: Stream, hasGap: boolean): void {
    if (hasGap) this.#gapped.add(stream);
    else this.#gapped.delete(stream);
  }

  /** The peer has sent again what is here: it does not know. */
  noteRepeat(now: number): void {
    for (const subflow of this.#unreported) if (silentAt(subflow) <= now) this.#due.add(subflow);
  }

  forget(stream: Stream): void {
    this.#gapped.delete(stream);
  }

  /** The line has brought something: its own ACKs tell. */
  handleReceived(subflow: Subflow): void {
    this.#due.delete(subflow);
  }

  /** The line has brought a frame of a stream. */
  handleStreamFrame(subflow: Subflow): void {
    subflow.receipt.handleStreamFrame();
    this.#unreported.add(subflow);
  }

  /** The line is gone. */
  forgetLine(subflow: Subflow): void {
    this.#unreported.delete(subflow);
    this.#due.delete(subflow);
  }

  /** Takes the time in: some line may have been silent for long enough. */
  handleTime(now: number): void {
    if (this.#gapped.size > 0) this.noteRepeat(now);
  }

  /**
   * What is due to be told on `line`, each once; a report that is lost with its line is not repeated. One that is silent
   * itself tells nothing as long as there are others.
   */
  *take(line: Subflow, living: readonly Subflow[]): IterableIterator<Subflow> {
    if (this.#due.size === 0 || (this.#due.has(line) && !living.every((each) => this.#due.has(each)))) return;
    for (const silent of this.#due) {
      if (silent === line) continue;
      this.forgetLine(silent);
      yield silent;
    }
  }

  nextTimeout(): number {
    let next = Number.POSITIVE_INFINITY;
    if (this.#gapped.size === 0) return next;
    for (const subflow of this.#unreported)
      if (!this.#due.has(subflow)) next = Math.min(next, silentAt(subflow));
    return next;
  }
}

/** When a line that has brought something has then brought nothing for long enough. */
function silentAt({ receipt }: Subflow): number {
  return receipt.hasUnreported ? receipt.at + ARRIVAL_SILENCE : Number.POSITIVE_INFINITY;
}
