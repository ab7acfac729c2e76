import type { RateState, SentFrame } from "./ledger.ts";
import {
  ACK_DELAY_SHARE,
  CHUNK_TIME,
  DRAIN_GAIN,
  FULL_GROWTH,
  FULL_ROUNDS,
  INITIAL_CAP,
  MAX_ACK_DELAY,
  MAX_CAP,
  MAX_CHUNK,
  MIN_ACK_DELAY,
  MIN_CAP,
  MIN_CHUNK,
  MIN_RTT_WINDOW,
  RATE_ROUNDS,
  STARTUP_GAIN,
  STEADY_GAIN,
} from "./parameters.ts";

/**
 * Below this many milliseconds a round trip is mostly the hosts' own (an event loop's turn at each end), which the
 * minimum does not show: the cap is taken for at least so long a line.
 */
const HOST_RTT = 5;

/**
 * What one subflow's acknowledgements say of its line: round-trip times, delivery rate, and from these the cap on
 * unacknowledged bytes that keeps the line full and its queue short. Rate estimation is that of BBR
 * (draft-cheng-iccrg-delivery-rate-estimation); the subflow is a reliable byte stream, so loss shows as delay only.
 */
export class PathModel {
  #minRtt = 0;
  #minRttAt = 0;
  #srtt = 0;
  #rttvar = 0;

  #delivered = 0;
  #deliveredAt = 0;
  #firstSentAt = 0;
  #appLimitedUntil = 0;
  #round = 0;
  #roundEnd = 0;
  /** Maximum delivery rate seen in each of the last rounds: pairs of round and rate, rates falling. */
  #rates: { round: number; rate: number }[] = [];

  #startup = true;
  #fullRate = 0;
  #fullRounds = 0;
  /** While draining: frames sent from this time on tell the true minimum. */
  #drainSince: number | undefined;
  #drainMin = Number.POSITIVE_INFINITY;

  /** Milliseconds; 0 until measured. */
  get minRtt(): number {
    return this.#minRtt;
  }
  get srtt(): number {
    return this.#srtt;
  }
  get rttvar(): number {
    return this.#rttvar;
  }

  /** Bytes per millisecond: the best of the last rounds, or what the initial cap gives while nothing is known. */
  get rate(): number {
    return this.#rates[0]?.rate ?? INITIAL_CAP / Math.max(this.#minRtt, HOST_RTT);
  }

  get measured(): boolean {
    return this.#rates.length > 0;
  }

  /** Bytes of one chunk on this line. */
  get chunk(): number {
    return Math.round(Math.min(MAX_CHUNK, Math.max(MIN_CHUNK, this.rate * CHUNK_TIME)));
  }

  /** How long the receiver of this line's bytes may hold back an ACK, milliseconds. */
  get ackDelay(): number {
    return Math.min(MAX_ACK_DELAY, Math.max(MIN_ACK_DELAY, this.#minRtt * ACK_DELAY_SHARE));
  }

  /** Bytes that may be unacknowledged on this line. */
  get cap(): number {
    if (!this.measured) return INITIAL_CAP;
    const bdp = this.rate * Math.max(this.#minRtt, HOST_RTT);
    if (this.#drainSince !== undefined) return clampCap(DRAIN_GAIN * bdp);
    const slack = 2 * this.chunk + this.rate * this.ackDelay;
    const cap = (this.#startup ? STARTUP_GAIN : STEADY_GAIN) * bdp + slack;
    return clampCap(this.#startup ? Math.max(cap, INITIAL_CAP) : cap);
  }

  /** The state to be kept with a frame that is sent now, `inFlight` bytes being unacknowledged before it. */
  handleSent(inFlight: number, now: number): RateState {
    if (inFlight === 0) {
      this.#firstSentAt = now;
      this.#deliveredAt = now;
    }
    return {
      delivered: this.#delivered,
      deliveredAt: this.#deliveredAt,
      firstSentAt: this.#firstSentAt,
      appLimited: this.#appLimitedUntil > this.#delivered,
    };
  }

  /** There was room on the line and nothing to send: rates measured from now on may be too low. */
  handleAppLimited(inFlight: number): void {
    this.#appLimitedUntil = Math.max(1, this.#delivered + inFlight);
  }

  /**
   * `bytes` were newly acknowledged; `newest` is the last frame among them, and the peer held its ACK back for `delay`
   * milliseconds.
   */
  handleAck(newest: SentFrame, bytes: number, delay: number, now: number): void {
    const receivedAt = Math.max(now - delay, newest.sentAt);
    this.#delivered += bytes;
    this.#deliveredAt = Math.max(this.#deliveredAt, receivedAt);
    this.#sampleRtt(receivedAt - newest.sentAt, newest.sentAt, now);
    this.#sampleRate(newest);
  }

  #sampleRtt(rtt: number, sentAt: number, now: number): void {
    if (this.#srtt === 0) {
      this.#srtt = rtt;
      this.#rttvar = rtt / 2;
    } else {
      this.#rttvar += (Math.abs(this.#srtt - rtt) - this.#rttvar) / 4;
      this.#srtt += (rtt - this.#srtt) / 8;
    }
    if (this.#minRtt === 0 || rtt <= this.#minRtt) {
      this.#minRtt = rtt;
      this.#minRttAt = now;
      this.#drainSince = undefined;
    } else if (this.#drainSince !== undefined) {
      this.#sampleDrain(rtt, sentAt, now);
    } else if (now - this.#minRttAt > MIN_RTT_WINDOW) {
      this.#drainSince = now;
      this.#drainMin = Number.POSITIVE_INFINITY;
    }
  }

  /** What was under way when the drain began still stood in the queue; the round trip after that tells. */
  #sampleDrain(rtt: number, sentAt: number, now: number): void {
    const since = this.#drainSince as number;
    if (sentAt < since) return;
    this.#drainMin = Math.min(this.#drainMin, rtt);
    if (sentAt < since + this.#minRtt) return;
    this.#minRtt = this.#drainMin;
    this.#minRttAt = now;
    this.#drainSince = undefined;
  }

  #sampleRate(newest: SentFrame): void {
    const state = newest.rateState;
    const sendElapsed = newest.sentAt - state.firstSentAt;
    const ackElapsed = this.#deliveredAt - state.deliveredAt;
    this.#firstSentAt = newest.sentAt;
    const newRound = state.delivered >= this.#roundEnd;
    if (newRound) {
      this.#round++;
      this.#roundEnd = this.#delivered;
    }
    const interval = Math.max(sendElapsed, ackElapsed, this.#minRtt);
    if (interval <= 0) return;
    const rate = (this.#delivered - state.delivered) / interval;
    if (!state.appLimited || rate >= this.rate) this.#keepRate(rate);
    if (newRound && !state.appLimited) this.#judgeStartup();
  }

  #keepRate(rate: number): void {
    while (this.#rates.length > 0 && (this.#rates[this.#rates.length - 1] as { rate: number }).rate <= rate) {
      this.#rates.pop();
    }
    this.#rates.push({ round: this.#round, rate });
    while ((this.#rates[0] as { round: number }).round < this.#round - RATE_ROUNDS) this.#rates.shift();
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
}

function clampCap(bytes: number): number {
  return Math.round(Math.min(MAX_CAP, Math.max(MIN_CAP, bytes)));
}
