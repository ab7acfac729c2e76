import type { RateState, SentFrame } from "./ledger.ts";
import { RATE_MEMORY, RATE_ROUNDS, RATE_ROUNDS_MIN } from "./parameters.ts";

interface RateSample {
  readonly round: number;
  readonly at: number;
  readonly rate: number;
}

/** What is known of the line besides. */
export interface RateContext {
  /** No interval can be shorter. */
  readonly minRtt: number;
  /** The rate by which the line goes at present. */
  readonly assumed: number;
  /** It ran dry in between, for want of more under way. */
  readonly starved: boolean;
}

/** What a completed frame tells of its round trip. */
export interface RoundResult {
  /** A round trip has ended with it: `bytes` were delivered in `ms`. */
  readonly newRound: boolean;
  /** The application had enough to send. */
  readonly busy: boolean;
  readonly bytes: number;
  readonly ms: number;
}

/**
 * How fast one line delivers, from its acknowledgements, as BBR does it (draft-cheng-iccrg-delivery-rate-estimation):
 * each frame remembers what had been delivered when it was sent, and its acknowledgement tells what was delivered in
 * between. The line's rate is the best of the last round trips. Times of delivery are by the receiver's clock, so that
 * acknowledgements which wait for each other on the way back do not look like a fast line.
 */
export class RateEstimate {
  #delivered = 0;
  /** By the receiver's clock. */
  #deliveredAt = 0;
  #firstSentAt = 0;
  /** What is sent before so much was delivered was held back by the application; a new subflow is idle. */
  #appLimitedUntil = 0;
  #appLimitedAt = 0;
  #round = 0;
  #roundEnd = 0;
  #roundBytes = 0;
  #roundAt = 0;
  /** The samples that may still become the maximum: rates falling, times rising. */
  #samples: RateSample[] = [];

  /** Bytes per millisecond, or undefined before the first sample. */
  get rate(): number | undefined {
    return this.#samples[0]?.rate;
  }

  /**
   * The state to be kept with a frame that is sent now, `inFlight` bytes being unacknowledged before it. Behind an idle
   * time the line counts as having delivered until `roundAgo`, one round trip before the receiver gets the frame.
   */
  handleSent(inFlight: number, now: number, roundAgo: number): RateState {
    if (inFlight === 0) {
      this.#firstSentAt = now;
      this.#deliveredAt = roundAgo;
    }
    return {
      delivered: this.#delivered,
      deliveredAt: this.#deliveredAt,
      firstSentAt: this.#firstSentAt,
      appLimited: this.#appLimitedUntil >= this.#delivered,
    };
  }

  /** There was room on the line and nothing to send: rates measured from now on may be too low. */
  handleAppLimited(inFlight: number, now: number): void {
    this.#appLimitedAt = now;
    this.#appLimitedUntil = this.#delivered + inFlight;
  }

  /** `bytes` more have arrived, the last of them at `time`, which counts even where no frame is complete. */
  handleDelivered(bytes: number, time: number): void {
    this.#delivered += bytes;
    this.#deliveredAt = Math.max(this.#deliveredAt, time);
  }

  /**
   * `newest` has arrived whole. When the application had no more to send, or the line was starved, only a rate better
   * than the assumed one says anything.
   */
  sample(newest: SentFrame, { minRtt, assumed, starved }: RateContext, now: number): RoundResult {
    const sendElapsed = newest.sentAt - newest.firstSentAt;
    const ackElapsed = this.#deliveredAt - newest.deliveredAt;
    this.#firstSentAt = newest.sentAt;
    const newRound = newest.delivered >= this.#roundEnd;
    const bytes = this.#delivered - this.#roundBytes;
    const ms = this.#deliveredAt - this.#roundAt;
    if (newRound) {
      this.#round++;
      this.#roundEnd = this.#delivered;
      this.#roundBytes = this.#delivered;
      this.#roundAt = this.#deliveredAt;
    }
    // Also what was sent before the application ran dry is followed by less than the line could carry.
    const appLimited = newest.appLimited || this.#appLimitedAt >= newest.sentAt;
    const interval = Math.max(sendElapsed, ackElapsed, minRtt);
    if (interval > 0 && interval < Number.POSITIVE_INFINITY) {
      const rate = (this.#delivered - newest.delivered) / interval;
      if (rate > 0 && ((!appLimited && !starved) || rate >= assumed)) this.#keep(rate, now);
    }
    return { newRound, busy: !appLimited, bytes, ms };
  }

  /**
   * What arrived over a span of time, in order or not: for when acknowledgements say nothing of that. Before there is any
   * sample it is not taken: a PING that was lost would make a line of a few bytes a second.
   */
  handleSpan(rate: number, since: number, now: number): void {
    if (this.rate === undefined || rate <= 0) return;
    if (this.#appLimitedAt < since || rate >= this.rate) this.#keep(rate, now);
  }

  #keep(rate: number, now: number): void {
    const samples = this.#samples;
    while (samples.length > 0 && (samples[samples.length - 1] as RateSample).rate <= rate) samples.pop();
    samples.push({ round: this.#round, at: now, rate });
    while (this.#isStale(samples[0] as RateSample, now)) samples.shift();
  }

  /** Long queues make long round trips: after a fall of the rate, ten of them would be far too much. */
  #isStale(sample: RateSample, now: number): boolean {
    const rounds = this.#round - sample.round;
    return rounds > RATE_ROUNDS || (rounds > RATE_ROUNDS_MIN && now - sample.at > RATE_MEMORY);
  }

  /** The line is slower than it was: nothing but `rate` counts, if that is less. */
  reduce(rate: number, now: number): void {
    if (rate > 0 && rate < (this.rate ?? 0)) this.#samples = [{ round: this.#round, at: now, rate }];
  }
}
