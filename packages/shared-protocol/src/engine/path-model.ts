import { DelayEstimate, MIN_SAMPLE } from "./delay-estimate.ts";
import type { RateState, SentFrame } from "./ledger.ts";
import {
  ACK_DELAY_SHARE,
  CHUNK_TIME,
  DRAIN_GAIN,
  FULL_GROWTH,
  FULL_ROUNDS,
  HOST_RTT,
  INITIAL_CAP,
  MAX_ACK_DELAY,
  MAX_CAP,
  MAX_CHUNK,
  MIN_ACK_DELAY,
  MIN_CAP,
  MIN_CHUNK,
  REDRAIN_AFTER,
  REDRAIN_BELOW,
  STARTUP_GAIN,
  STEADY_GAIN,
} from "./parameters.ts";
import { RateEstimate } from "./rate-estimate.ts";

/**
 * What one subflow's acknowledgements say of its line: its times (`delay-estimate.ts`), its rate (`rate-estimate.ts`),
 * and from these the cap on unacknowledged bytes that keeps the line full and its queue short. The subflow is a
 * reliable byte stream, so loss shows as delay only.
 */
export class PathModel {
  readonly #delay = new DelayEstimate();
  readonly #rate = new RateEstimate();
  #startup = true;
  /** Round trips in which the line was kept busy. The first ends with the first frame, of what was sent in one go. */
  #busyRounds = 0;
  #fullRate = 0;
  #fullRounds = 0;
  /** The best rate since the minimum of the line's time was last measured. */
  #provenRate = 0;

  /** Milliseconds; 0 until measured. */
  get minRtt(): number {
    return this.#delay.minRtt;
  }
  get srtt(): number {
    return this.#delay.srtt;
  }
  get rttvar(): number {
    return this.#delay.rttvar;
  }

  /** Bytes per millisecond: the best of the last rounds, or what the initial cap gives while nothing is known. */
  get rate(): number {
    return this.#rate.rate ?? INITIAL_CAP / Math.max(this.minRtt, HOST_RTT);
  }

  get measured(): boolean {
    return this.#rate.rate !== undefined;
  }

  /** Bytes of one chunk on this line. */
  get chunk(): number {
    return Math.round(Math.min(MAX_CHUNK, Math.max(MIN_CHUNK, this.rate * CHUNK_TIME)));
  }

  /** How long the receiver of this line's bytes may hold back an ACK, milliseconds. */
  get ackDelay(): number {
    return Math.min(MAX_ACK_DELAY, Math.max(MIN_ACK_DELAY, this.minRtt * ACK_DELAY_SHARE));
  }

  /** Bytes that may be unacknowledged on this line. */
  get cap(): number {
    if (!this.measured) return INITIAL_CAP;
    const bdp = this.rate * this.#delay.base;
    // One chunk may do here: a thin line's queue is not empty with two of them under way.
    if (this.#delay.isDraining) return Math.round(Math.max(this.chunk, DRAIN_GAIN * bdp));
    const slack = 2 * this.chunk + this.rate * this.ackDelay;
    const cap = (this.#startup ? STARTUP_GAIN : STEADY_GAIN) * bdp + slack;
    return clampCap(this.#busyRounds < 2 ? Math.max(cap, INITIAL_CAP) : cap);
  }

  /** The state to be kept with a frame that is sent now, `inFlight` bytes being unacknowledged before it. */
  handleSent(inFlight: number, now: number): RateState {
    return this.#rate.handleSent(inFlight, now);
  }

  /** There was room on the line and nothing to send: rates measured from now on may be too low. */
  handleAppLimited(inFlight: number): void {
    this.#rate.handleAppLimited(inFlight);
  }

  /**
   * `bytes` were newly acknowledged; `newest` is the last frame that is complete with them, if any. The peer got the
   * last of the bytes at `time` on its own clock, and held its ACK back for `delay` milliseconds.
   */
  handleAck(newest: SentFrame | undefined, bytes: number, delay: number, time: number, now: number): void {
    this.#rate.handleDelivered(bytes, now - delay);
    if (!newest) return;
    const sample = {
      sentAt: newest.sentAt,
      rtt: Math.max(now - delay - newest.sentAt, MIN_SAMPLE),
      oneWay: time - newest.sentAt,
      serialisation: newest.size / this.rate,
    };
    this.#delay.handleSample(sample, now);
    if (!this.#rate.sample(newest, this.minRtt, this.rate, now)) return;
    this.#busyRounds++;
    this.#judgeStartup();
    this.#judgeMinimum(now);
  }

  /** The line is full when more under way has not made it faster for some rounds. */
  #judgeStartup(): void {
    if (!this.#startup) return;
    if (this.rate >= this.#fullRate * FULL_GROWTH) {
      this.#fullRate = this.rate;
      this.#fullRounds = 0;
    } else if (++this.#fullRounds >= FULL_ROUNDS) {
      this.#startup = false;
    }
  }

  /**
   * The rate fell: either the line is slower, or it takes longer than its minimum says and the cap, being too small
   * for it, now makes it slower with every round. Measuring the minimum anew tells which, and ends the latter.
   */
  #judgeMinimum(now: number): void {
    if (this.#startup || this.#delay.isDraining) return;
    this.#provenRate = Math.max(this.#provenRate, this.rate);
    if (this.rate >= this.#provenRate * REDRAIN_BELOW || now - this.#delay.minAt < REDRAIN_AFTER) return;
    this.#provenRate = this.rate;
    this.#delay.drain(now);
  }
}

function clampCap(bytes: number): number {
  return Math.round(Math.min(MAX_CAP, Math.max(MIN_CAP, bytes)));
}
