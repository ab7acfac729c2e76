/** Of a transfer, what counts as its start: the transport finds the line's rate meanwhile. */
const START_SHARE = 0.3;
/** The rate of late is the mean over so long, ms. */
const RECENT_MS = 1_000;

/** The rate of a transfer from samples of its count of bytes. Times are ms. */
export class GoodputMeter {
  readonly #samples: { readonly at: number; readonly bytes: number }[] = [];

  /** `bytes` were carried until `now`. */
  note(bytes: number, now: number): void {
    this.#samples.push({ at: now, bytes });
  }

  /** Since the first sample. */
  get elapsed(): number {
    const [first] = this.#samples;
    const last = this.#samples.at(-1);
    return first && last ? last.at - first.at : 0;
  }

  /** Bits per second since the start was over. */
  get mean(): number {
    return this.#since(START_SHARE * this.elapsed);
  }

  /** Bits per second of late. */
  get recent(): number {
    return this.#since(Math.max(0, this.elapsed - RECENT_MS));
  }

  #since(ms: number): number {
    const [first] = this.#samples;
    const last = this.#samples.at(-1);
    const from = this.#samples.find(({ at }) => first && at - first.at >= ms);
    if (!from || !last || last.at === from.at) return 0;
    return ((last.bytes - from.bytes) * 8_000) / (last.at - from.at);
  }
}
