import {
  PROBE_FACTOR,
  PROBE_FAILED,
  PROBE_GROWTH,
  PROBE_MAX,
  PROBE_PAUSE,
  PROBE_ROUNDS,
  TROUBLE_BELOW,
} from "./parameters.ts";

/** One round trip of a line that was kept busy. */
export interface Round {
  readonly bytes: number;
  readonly ms: number;
}

/**
 * Finds out whether a line could do with more under way than its estimated times say: where these vary much (a busy
 * cell, losses that hold everything up behind them), a cap made from the least of them is too small, the rate falls, the
 * cap with it, and so on down. Only more under way shows it: if the rate grows with it, the line was not full.
 *
 * Nothing is done while the rate holds. Once it has fallen, some rounds at the present cap are compared with as many at
 * a larger one, again and again while that helps, and now and then when it did not.
 */
export class CapProbe {
  /** Factor on the cap that has proved useful. */
  #margin = 1;
  /** What the line delivers, round trips averaged; its rate is the best of them. */
  #average = 0;
  #proven = 0;
  /** Round trips until the next attempt, after one that failed. */
  #pause = 0;
  #rounds = 0;
  #raised = false;
  /** A long queue stood on the line during this attempt. */
  #sawFull = false;
  #before: Round = { bytes: 0, ms: 0 };
  #during: Round = { bytes: 0, ms: 0 };

  /** What the cap is to be multiplied with now. */
  get factor(): number {
    return this.#raised ? this.#margin * PROBE_FACTOR : this.#margin;
  }

  /**
   * A busy round trip has ended, the line's rate is now held to be `rate`, and `full` tells that a long queue stood on
   * it all the time. Returns true when the rate has fallen.
   */
  handleRound(round: Round, rate: number, full: boolean): boolean {
    if (round.ms <= 0) return false;
    const delivered = round.bytes / round.ms;
    this.#average = this.#average === 0 ? delivered : this.#average + (delivered - this.#average) / 8;
    this.#proven = Math.max(this.#proven, rate);
    if (this.#rounds === 0) return this.#begin(rate, full);
    this.#rounds++;
    this.#sawFull ||= full;
    // The round in which the cap changes belongs to neither side.
    if (this.#rounds <= PROBE_ROUNDS) this.#before = sum(this.#before, round);
    else if (this.#rounds === PROBE_ROUNDS + 1) this.#raised = true;
    else if (this.#rounds > PROBE_ROUNDS + 2) this.#during = sum(this.#during, round);
    if (this.#rounds === 2 * PROBE_ROUNDS + 2) this.#judge();
    return false;
  }

  #begin(rate: number, full: boolean): boolean {
    if (full) this.#shrink();
    if (this.#pause > 0) {
      this.#pause--;
      return false;
    }
    if (full || (this.#margin === 1 && this.#average >= this.#proven * TROUBLE_BELOW)) return false;
    this.#rounds = 1;
    this.#sawFull = false;
    this.#before = { bytes: 0, ms: 0 };
    this.#during = { bytes: 0, ms: 0 };
    return this.#margin === 1 && rate < this.#proven * TROUBLE_BELOW;
  }

  #judge(): void {
    this.#raised = false;
    this.#rounds = 0;
    const growth = (this.#during.bytes * this.#before.ms) / (this.#before.bytes * this.#during.ms);
    if (growth >= PROBE_GROWTH && !this.#sawFull)
      this.#margin = Math.min(PROBE_MAX, this.#margin * PROBE_FACTOR);
    else this.#shrink();
  }

  #shrink(): void {
    if (this.#margin > 1) {
      this.#margin = Math.max(1, this.#margin * PROBE_FAILED);
      return;
    }
    this.#proven = this.#average;
    this.#pause = PROBE_PAUSE;
  }
}

function sum(a: Round, b: Round): Round {
  return { bytes: a.bytes + b.bytes, ms: a.ms + b.ms };
}
