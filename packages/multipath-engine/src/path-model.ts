import { DelayEstimate, MIN_SAMPLE } from "./delay-estimate.ts";
import type { RateState, SentFrame } from "./ledger.ts";
import type { ArrivalRate, LineReport } from "./line-watch.ts";
import {
  ACK_DELAY_SHARE,
  CHUNK_SEGMENTS,
  CHUNK_TIME,
  CHUNK_TIME_MAX,
  DRAIN_GAIN,
  FULL_GROWTH,
  FULL_QUEUE,
  FULL_ROUNDS,
  HOST_RTT,
  INITIAL_CAP,
  INITIAL_RATE,
  MAX_ACK_DELAY,
  MAX_CAP,
  MAX_CHUNK,
  MAX_RETURN_WAIT,
  MIN_ACK_DELAY,
  MIN_CAP,
  NO_WAIT,
  OWN_CHUNKS,
  RECORD_BYTES,
  REDRAIN_AFTER,
  SEGMENT,
  SHARED_SEGMENTS,
  SLOWER_QUEUE,
  STARTUP_BYTES,
  STARTUP_GAIN,
  STARTUP_LONG,
  STARTUP_QUEUE,
  TROUBLE_BELOW,
} from "./parameters.ts";
import { RateEstimate, type RoundResult } from "./rate-estimate.ts";
import { Reserve } from "./reserve.ts";

/** What an ACK tells. */
export interface Arrival {
  /** Bytes newly acknowledged. */
  readonly bytes: number;
  /** The last frame that is complete with them. */
  readonly newest: SentFrame | undefined;
  /** The frame to which the last of them belongs, complete or not. */
  readonly last: SentFrame | undefined;
  /** Bytes sent in one go with that last byte, itself included. */
  readonly burst: number;
  /** When the peer got the last byte, on its own clock, and for how long it then held its ACK back, milliseconds. */
  readonly time: number;
  readonly delay: number;
}

/**
 * What one subflow's acknowledgements say of its line: its times (`delay-estimate.ts`), its rate (`rate-estimate.ts`),
 * what it needs beyond these (`reserve.ts`), and from these the cap on bytes under way that keeps the line full and its
 * queue short. The subflow is a reliable byte stream, so loss shows as delay only.
 */
export class PathModel {
  /** Bytes of a TCP segment on this line. */
  segment = SEGMENT;
  /** The system tells what has arrived (`line-watch.ts`); otherwise only ACKs do, later and chunk by chunk. */
  isWatched = false;
  /** The peer sends much data over this line: our acknowledgements of it should not wait behind long chunks. */
  isReturnBusy = false;
  /** Another line in use is past its startup and carries the data meanwhile: this one can start carefully. */
  isBesideKnown = false;
  /** Short streams were opened beside long ones lately: long chunks would hold them up. */
  isShared = false;
  readonly #delay = new DelayEstimate();
  readonly #rate = new RateEstimate();
  readonly #reserve = new Reserve();
  #startup = true;
  /** The shortest queue in this round trip, milliseconds. */
  #leastQueue = Number.POSITIVE_INFINITY;
  /** The shortest time for which anything waited behind earlier bytes, in this round trip and the one before. */
  #leastWait = Number.POSITIVE_INFINITY;
  #leastWaitBefore = Number.POSITIVE_INFINITY;
  /** A segment was missing at the peer in this round trip, or in the one before: later ones' ACKs waited for it. */
  #hasHole = false;
  #hadHole = false;
  #wasDraining = false;
  #fullRate = 0;
  #fullRounds = 0;
  #provenRate = 0;
  /** What the path's subflow before this one found, bytes per millisecond; infinite without one. */
  readonly #expectedRate: number;

  constructor(expectedRate = Number.POSITIVE_INFINITY) {
    this.#expectedRate = expectedRate;
  }

  /** Milliseconds; 0 until measured, or told by the system. */
  get minRtt(): number {
    return this.#delay.minRtt;
  }
  get srtt(): number {
    return this.#delay.srtt;
  }
  get rttvar(): number {
    return this.#delay.rttvar;
  }

  /** Its times are measured, not only told by the system. */
  get isTimed(): boolean {
    return this.#delay.isTimed;
  }

  /** When its times were last measured; minus infinity: never. */
  get sampledAt(): number {
    return this.#delay.sampledAt;
  }

  /** Bytes per millisecond: the best of the last rounds, or what the first cap may give while nothing is known. */
  get rate(): number {
    return (
      this.#rate.rate ?? Math.min(this.#expectedRate, this.#initialCap / Math.max(this.minRtt, HOST_RTT))
    );
  }

  /** More and more is put under way until the line is full. */
  get isStarting(): boolean {
    return this.#startup;
  }

  get measured(): boolean {
    return this.#rate.rate !== undefined;
  }

  /** Bytes of one chunk on this line, with its frame and an ACK that rides along: its TLS record fills whole segments. */
  get chunk(): number {
    const wanted = Math.round((this.rate * CHUNK_TIME) / this.segment);
    const bearable = Math.floor((this.rate * CHUNK_TIME_MAX) / this.segment);
    const efficient = this.isShared ? SHARED_SEGMENTS : CHUNK_SEGMENTS;
    const least = this.isReturnBusy ? 1 : Math.max(1, Math.min(efficient, bearable));
    return Math.min(MAX_CHUNK, Math.max(wanted, least) * this.segment - RECORD_BYTES);
  }

  /** How long the receiver of this line's bytes may hold back an ACK, milliseconds. */
  get ackDelay(): number {
    return Math.min(MAX_ACK_DELAY, Math.max(MIN_ACK_DELAY, this.minRtt * ACK_DELAY_SHARE));
  }

  /** Bytes that may be unacknowledged on this line. */
  get cap(): number {
    if (!this.measured) return this.#firstCap;
    const { base, bare } = this.#delay;
    if (this.#delay.isDraining)
      return Math.round(Math.min(MAX_CAP, this.chunk + DRAIN_GAIN * this.rate * bare));
    if (!this.#startup) return this.#capFor(Math.min(base, bare + MAX_RETURN_WAIT) + this.#reserve.ms);
    const harmless = Math.max(STARTUP_QUEUE, STARTUP_LONG * bare, STARTUP_BYTES / this.rate);
    const growth = Math.min(STARTUP_GAIN * bare, harmless);
    return Math.max(this.#capFor(base + growth), this.#firstCap);
  }

  get #initialCap(): number {
    const careful = Math.max(MIN_CAP, INITIAL_RATE * this.minRtt);
    return this.isBesideKnown ? Math.min(INITIAL_CAP, careful) : INITIAL_CAP;
  }

  /** The initial cap, or less where the path is known to be thin: at 0.8 Mbit/s that cap is a queue of 160 ms. */
  get #firstCap(): number {
    return Math.round(Math.min(this.#initialCap, this.#expectedRate * this.#delay.bare + this.chunk));
  }

  /** What the line carries in `ms`, a chunk, and what has arrived without an acknowledgement having told so yet. */
  #capFor(ms: number): number {
    const unseen = this.isWatched ? this.segment : this.chunk + this.rate * this.ackDelay;
    const cap = this.rate * ms + this.chunk + unseen;
    return Math.round(Math.min(MAX_CAP, Math.max(MIN_CAP, cap)));
  }

  /** The state to be kept with a frame that is sent now, `inFlight` bytes being unacknowledged before it. */
  handleSent(inFlight: number, now: number): RateState {
    return this.#rate.handleSent(inFlight, now, this.#delay.roundAgo(now));
  }

  /** There was room on the line and nothing to send: rates measured from now on may be too low. */
  handleAppLimited(inFlight: number, now: number): void {
    this.#rate.handleAppLimited(inFlight, now);
  }

  /** What the system tells; `arrival` is the rate of late where something was missing. */
  handleLine(report: LineReport, arrival: ArrivalRate | undefined, now: number): void {
    this.isWatched = true;
    this.segment = report.segment;
    this.#delay.handleTold(report.minRtt);
    if (report.hasHole) this.#hasHole = true;
    if (this.#isHoled) this.#leastQueue = report.queue;
    if (arrival) this.#rate.handleSpan(arrival.rate, arrival.since, now);
  }

  get #isHoled(): boolean {
    return this.#hasHole || this.#hadHole;
  }

  handleAck(arrival: Arrival, now: number): void {
    const { newest, last, delay } = arrival;
    this.#rate.handleDelivered(arrival.bytes, arrival.time);
    if (last) {
      const { sentAt } = last;
      const rtt = Math.max(now - delay - sentAt, MIN_SAMPLE);
      const serialisation = arrival.burst / this.rate;
      const unhindered = last.length > 0 || last.firstSentAt === sentAt;
      this.#delay.handleSample(
        {
          sentAt,
          rtt,
          oneWay: arrival.time - sentAt,
          serialisation,
          behindHole: this.#isHoled,
          unhindered,
        },
        now,
      );
      this.#leastWait = Math.min(this.#leastWait, this.#delay.queue - serialisation);
    }
    if (!newest) return;
    if (!this.#isHoled) this.#leastQueue = Math.min(this.#leastQueue, this.#delay.queue);
    const starved = (this.#isHoled && this.measured) || this.#ranDry;
    const assumed = this.measured ? this.rate : this.rate / 2;
    const round = this.#rate.sample(newest, { minRtt: this.minRtt, assumed, starved }, now);
    if (!round.newRound) return;
    this.#leastWaitBefore = this.#leastWait;
    this.#leastWait = Number.POSITIVE_INFINITY;
    // Busy from end to end, not for a moment between two small flows.
    const busy = round.busy && round.bytes >= this.cap / 2;
    if (this.#startup) this.#judgeStartup(busy && !starved);
    else this.#judgeRound(round, busy, now);
    this.#leastQueue = Number.POSITIVE_INFINITY;
    this.#hadHole = this.#hasHole;
    this.#hasHole = false;
  }

  /**
   * Some bytes waited behind no others in this round trip or the one before: the line was empty for a moment. Then the cap
   * bounded what it delivered, and it could have carried more.
   */
  get #ranDry(): boolean {
    return Math.min(this.#leastWait, this.#leastWaitBefore) < NO_WAIT;
  }

  /**
   * A round trip of the startup has ended. The startup is over when the line is full. It is full when a queue stood on it
   * through the whole round trip, or when its rate has not grown for FULL_ROUNDS round trips in which it was kept busy.
   */
  #judgeStartup(busy: boolean): void {
    if (this.#leastQueue > FULL_QUEUE * this.#delay.base + (2 * this.chunk) / this.rate) {
      this.#endStartup();
    } else if (!busy) {
      return;
    } else if (this.rate >= this.#fullRate * FULL_GROWTH) {
      this.#fullRate = this.rate;
      this.#fullRounds = 0;
    } else if (++this.#fullRounds >= FULL_ROUNDS) {
      this.#endStartup();
    }
  }

  #endStartup(): void {
    this.#startup = false;
    this.#reserve.begin(this.#delay.bare);
  }

  /**
   * A round trip has ended on a line that is past its startup. Three things may follow: the rate is reduced at once where a
   * long queue shows that the line has become slower; the reserve is fitted; and the line is drained for a moment where
   * its rate has fallen, as its least round trip may have grown.
   */
  #judgeRound({ bytes, ms }: RoundResult, busy: boolean, now: number): void {
    const { bare } = this.#delay;
    // The cap would not have made so long a queue at the rate assumed: the line is slower now. Where little was under way (a
    // PING alone) the queue is not ours: others use the line, or its modem had slept.
    const isSlower = this.#leastQueue > SLOWER_QUEUE + bare + (2 * this.chunk) / this.rate;
    if (isSlower && bytes >= OWN_CHUNKS * this.chunk) this.#rate.reduce(bytes / ms, now);
    // While a line is drained it delivers less, and its acknowledgements say so one round trip later.
    const drained = this.#wasDraining;
    this.#wasDraining = this.#delay.isDraining;
    if (!busy || drained || this.#wasDraining || this.#isHoled || ms <= 0) return;
    // What this round trip delivered was sent in the one before, so it is judged by that one's waits.
    const round = { bytes, ms, leastWait: this.#leastWaitBefore };
    this.#reserve.handleRound(round, this.rate, bare, this.segment / this.rate);
    this.#provenRate = Math.max(this.#provenRate, this.rate);
    if (this.rate >= this.#provenRate * TROUBLE_BELOW || now - this.#delay.minAt < REDRAIN_AFTER) return;
    // Either the line is slower, or its least round trip has grown and the cap made from that is too small. A drain tells.
    this.#provenRate = this.rate;
    this.#delay.drain(now);
  }
}
