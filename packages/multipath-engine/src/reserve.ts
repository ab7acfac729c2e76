import {
  DRY_GROWTH,
  DRY_ROUNDS,
  FULL_RESERVE,
  NO_WAIT,
  RESERVE_FALL,
  RESERVE_RISE,
  SLACK,
  SPARE_SEGMENTS,
  SPARE_WAIT,
  STEADY_GAIN,
} from "./parameters.ts";

/** One round trip of a line that was kept busy. */
export interface Round {
  readonly bytes: number;
  readonly ms: number;
  /** The shortest time for which anything waited behind earlier bytes, milliseconds: without any the line ran dry. */
  readonly leastWait: number;
}

/**
 * How much more than its bare round trip a line needs under way, in milliseconds of its rate: for acknowledgements that
 * wait behind the peer's data, for a radio cell that is served in bursts, for the turns of our own event loop. How much that
 * is cannot be known beforehand. A line that runs dry delivers less than it could: it needs more. A line on which bytes
 * always wait behind others needs less.
 */
export class Reserve {
  #ms = 0;
  #dryRounds = 0;

  /** A reserve to start from, for a line of this bare round trip. */
  begin(bare: number): void {
    this.#ms = STEADY_GAIN * bare + SLACK;
  }

  get ms(): number {
    return this.#ms;
  }

  /** `rate` is what the line can carry, bytes per millisecond; a segment takes it `segmentMs`. */
  handleRound(round: Round, rate: number, bare: number, segmentMs: number): void {
    const least = STEADY_GAIN * bare;
    if (round.leastWait < NO_WAIT) {
      const idle = Math.max(0, round.ms - round.bytes / rate);
      const grown = ++this.#dryRounds >= DRY_ROUNDS ? this.#ms * DRY_GROWTH : this.#ms;
      this.#ms = Math.min(grown + RESERVE_RISE * idle, FULL_RESERVE + bare);
      return;
    }
    this.#dryRounds = 0;
    const spare = round.leastWait - Math.max(SPARE_WAIT, SPARE_SEGMENTS * segmentMs);
    if (spare > 0) this.#ms = Math.max(least, this.#ms - RESERVE_FALL * spare);
  }
}
