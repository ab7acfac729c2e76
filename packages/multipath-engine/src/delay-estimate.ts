import {
  FIRST_DOUBTED,
  FIRST_LATE,
  HOST_RTT,
  MIN_RTT_ROUNDS,
  MIN_RTT_WINDOW,
  MIN_TOLERANCE,
} from "./parameters.ts";

/** A round trip is never 0: that value stands for "not measured". */
export const MIN_SAMPLE = 0.001;

/** What one acknowledgement says of times, milliseconds. */
export interface DelaySample {
  readonly sentAt: number;
  /** There and back, without the time for which the peer held its ACK. */
  readonly rtt: number;
  /** One way, from our clock to the peer's. The clocks do not agree, so only differences of two such times mean something. */
  readonly oneWay: number;
  /** The time that the line needs for what was sent in one go with the frame, itself included. */
  readonly serialisation: number;
  /** It may have waited for a segment that was lost. */
  readonly behindHole: boolean;
  /** The frame waited for room under the cap, or nothing else was under way. */
  readonly unhindered: boolean;
}

/**
 * How long one line takes: the round trip, and how much of it is our own queue. The minimum of the one-way time is the
 * line without a queue; what a frame took beyond it is queue, ours. The way back is another matter: acknowledgements
 * that wait behind the peer's data make the round trip longer, and the line needs more under way, not less.
 *
 * A minimum grows old (the line changes, the clocks drift). It is then measured anew: the line is *drained*, that is
 * given less than it could carry, until something that was sent into the empty line has arrived.
 */
export class DelayEstimate {
  /** The least round trip of the connection's segments, as the system tells it; 0 where it does not. */
  #told = 0;
  #doubted = 0;
  #srtt = 0;
  #rttvar = 0;
  #base = 0;
  #queue = 0;
  #sampledAt = Number.NEGATIVE_INFINITY;
  #minOneWay = Number.POSITIVE_INFINITY;
  #minAt = 0;
  #drainSince: number | undefined;
  /** The way back at its least, in this window and the one before. Its queue is the peer's to drain. */
  #minBack = Number.POSITIVE_INFINITY;
  #minBackBefore = Number.POSITIVE_INFINITY;
  #minBackSince = 0;

  /** At least one acknowledgement was measured: the times are not only what the system has told. */
  get isTimed(): boolean {
    return this.#srtt > 0;
  }

  /** 0 while nothing is known, as are the others. */
  get srtt(): number {
    return this.#srtt || this.#told;
  }
  get rttvar(): number {
    return this.isTimed ? this.#rttvar : this.#told / 2;
  }

  /** The least time one way plus the least time back, measured at different moments. The clocks' difference cancels out. */
  get minRtt(): number {
    if (!this.isTimed) return this.#told;
    return Math.max(MIN_SAMPLE, this.#minOneWay + Math.min(this.#minBack, this.#minBackBefore));
  }

  /** The round trip at its least, not less than what the hosts themselves take. */
  get bare(): number {
    return Math.max(this.minRtt, HOST_RTT);
  }

  /** The round trip less our own queue: what must be under way to keep the line busy. */
  get base(): number {
    return Math.max(this.#base, this.bare);
  }

  /** By the receiver's clock: one round trip before it gets what is sent now. */
  roundAgo(now: number): number {
    return this.#srtt === 0 ? Number.NEGATIVE_INFINITY : now + this.#minOneWay - this.base;
  }

  /** How long the latest measured frame waited in the queue that our own data makes. */
  get queue(): number {
    return this.#queue;
  }

  get isDraining(): boolean {
    return this.#drainSince !== undefined;
  }

  /** When the latest sample came that was not doubted. */
  get sampledAt(): number {
    return this.#sampledAt;
  }

  /** When the minimum was last known to hold. */
  get minAt(): number {
    return this.#minAt;
  }

  /** Until the first sample this serves, the handshake's round trip: a new line is used at once. */
  handleTold(minRtt: number): void {
    this.#told = minRtt;
  }

  handleSample(sample: DelaySample, now: number): void {
    const { rtt, oneWay } = sample;
    if (this.#isDoubtful(sample)) {
      this.#doubted++;
      return;
    }
    this.#sampledAt = now;
    this.#noteBack(rtt - oneWay, now);
    if (oneWay <= this.#minOneWay) this.#setMinimum(oneWay, now);
    else if (this.#drainSince !== undefined) this.#sampleDrain(sample, this.#drainSince, now);
    else if (oneWay - sample.serialisation <= this.#minOneWay + MIN_TOLERANCE) this.#minAt = now;
    this.#smooth(rtt);
    if (now - this.#minAt > Math.max(MIN_RTT_WINDOW, MIN_RTT_ROUNDS * this.minRtt)) this.drain(now);
    this.#queue = Math.max(0, oneWay - this.#minOneWay);
    const base = rtt - this.#queue;
    this.#base = this.#base === 0 ? base : this.#base + (base - this.#base) / 8;
  }

  /** A first one that waited for a lost segment would make the line far too long; but a proxy makes the system err. */
  #isDoubtful({ rtt, behindHole }: DelaySample): boolean {
    if (this.isTimed || this.#told === 0 || this.#doubted === FIRST_DOUBTED) return false;
    return behindHole && rtt > FIRST_LATE * this.#told;
  }

  #noteBack(back: number, now: number): void {
    if (now - this.#minBackSince > 2 * MIN_RTT_WINDOW) {
      this.#minBackBefore = this.#minBack;
      this.#minBack = Number.POSITIVE_INFINITY;
      this.#minBackSince = now;
    }
    this.#minBack = Math.min(this.#minBack, back);
  }

  #smooth(rtt: number): void {
    if (this.#srtt === 0) {
      this.#srtt = rtt;
      this.#rttvar = rtt / 2;
    } else {
      this.#rttvar += (Math.abs(this.#srtt - rtt) - this.#rttvar) / 4;
      this.#srtt += (rtt - this.#srtt) / 8;
    }
  }

  /** Has the minimum measured anew. */
  drain(now: number): void {
    this.#drainSince ??= now;
  }

  /**
   * What was under way when the drain began still stood in the queue, and small frames go out whatever is under way; the
   * first frame since then that waited for room went into an empty line.
   */
  #sampleDrain(sample: DelaySample, since: number, now: number): void {
    if (sample.sentAt >= since && sample.unhindered)
      this.#setMinimum(sample.oneWay - sample.serialisation, now);
  }

  #setMinimum(oneWay: number, now: number): void {
    this.#minOneWay = oneWay;
    this.#minAt = now;
    this.#drainSince = undefined;
  }
}
