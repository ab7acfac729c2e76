/** The share of a transfer that is its start. It is not measured: the transport is still finding the line's rate. */
const START_SHARE = 0.3;
/** The present rate is the mean over this time, ms. */
const RECENT_MS = 1_000;

/** Computes the rate of a transfer from samples of its byte count. Times are in ms. */
export class GoodputMeter {
  readonly #samples: { readonly at: number; readonly bytes: number }[] = [];

  /** A sample: `bytes` were carried until `now`. */
  note(bytes: number, now: number): void {
    this.#samples.push({ at: now, bytes });
  }

  /** Time since the first sample, ms. */
  get elapsed(): number {
    const [first] = this.#samples;
    const last = this.#samples.at(-1);
    return first && last ? last.at - first.at : 0;
  }

  /** The mean rate after the start, bits per second. */
  get mean(): number {
    return this.#since(START_SHARE * this.elapsed);
  }

  /** The present rate, bits per second. */
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
