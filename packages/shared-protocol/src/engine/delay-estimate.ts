import { HOST_RTT, MIN_RTT_ROUNDS, MIN_RTT_WINDOW } from "./parameters.ts";

/** A round trip is never 0: that value stands for "not measured". */
export const MIN_SAMPLE = 0.001;

/** What one acknowledgement says of times, milliseconds. */
export interface DelaySample {
  readonly sentAt: number;
  /** There and back, without the time for which the peer held its ACK. */
  readonly rtt: number;
  /** There, by two clocks that do not agree: only differences mean something. */
  readonly oneWay: number;
  /** The frame's own time on the line. */
  readonly serialisation: number;
}

/**
 * How long one line takes: the round trip, and how much of it is our own queue. The minimum of the one-way time is the
 * line without a queue; what a frame took beyond it is queue, ours. The way back is another matter: acknowledgements
 * that wait behind the peer's data make the round trip longer, and the line needs more under way, not less.
 *
 * A minimum grows old (the line changes). It is then measured anew: the line is *drained*, that is given less than it
 * could carry, until a frame that was sent into the empty line has arrived.
 */
export class DelayEstimate {
  #srtt = 0;
  #rttvar = 0;
  #minRtt = 0;
  #base = 0;
  #minOneWay = Number.POSITIVE_INFINITY;
  #minAt = 0;
  #drainSince: number | undefined;
  #drained: { oneWay: number; rtt: number } | undefined;

  /** 0 until measured, as are the others. */
  get srtt(): number {
    return this.#srtt;
  }
  get rttvar(): number {
    return this.#rttvar;
  }
  get minRtt(): number {
    return this.#minRtt;
  }

  /** The round trip less our own queue: what must be under way to keep the line busy. */
  get base(): number {
    return Math.max(this.#base, HOST_RTT);
  }

  get isDraining(): boolean {
    return this.#drainSince !== undefined;
  }

  /** When the minimum was last known to hold. */
  get minAt(): number {
    return this.#minAt;
  }

  handleSample(sample: DelaySample, now: number): void {
    this.#smooth(sample.rtt);
    if (sample.oneWay <= this.#minOneWay) this.#setMinimum(sample.oneWay, sample.rtt, now);
    else if (this.#drainSince !== undefined) this.#sampleDrain(sample, this.#drainSince, now);
    else if (now - this.#minAt > Math.max(MIN_RTT_WINDOW, MIN_RTT_ROUNDS * this.#minRtt)) this.drain(now);
    const base = sample.rtt - (sample.oneWay - this.#minOneWay);
    this.#base = this.#base === 0 ? base : this.#base + (base - this.#base) / 8;
  }

  #smooth(rtt: number): void {
    if (this.#srtt === 0) {
      this.#srtt = rtt;
      this.#rttvar = rtt / 2;
    } else {
      this.#rttvar += (Math.abs(this.#srtt - rtt) - this.#rttvar) / 4;
      this.#srtt += (rtt - this.#srtt) / 8;
    }
    if (this.#minRtt === 0 || rtt < this.#minRtt) this.#minRtt = rtt;
  }

  /** Has the minimum measured anew. */
  drain(now: number): void {
    if (this.#drainSince !== undefined) return;
    this.#drainSince = now;
    this.#drained = undefined;
  }

  /** What was under way when the drain began still stood in the queue; the round trip after that tells. */
  #sampleDrain(sample: DelaySample, since: number, now: number): void {
    if (sample.sentAt < since) return;
    const oneWay = sample.oneWay - sample.serialisation;
    if (!this.#drained || oneWay < this.#drained.oneWay) {
      this.#drained = { oneWay, rtt: sample.rtt - sample.serialisation };
    }
    if (sample.sentAt < since + this.#minRtt) return;
    this.#minRtt = Math.max(this.#drained.rtt, MIN_SAMPLE);
    this.#setMinimum(this.#drained.oneWay, this.#drained.rtt, now);
  }

  #setMinimum(oneWay: number, rtt: number, now: number): void {
    this.#minOneWay = oneWay;
    this.#minRtt = Math.min(this.#minRtt, rtt);
    this.#minAt = now;
    this.#drainSince = undefined;
  }
}
