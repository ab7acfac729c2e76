import type { LineReport } from "@hawser/multipath-engine";
import type { Random } from "@hawser/shared-protocol/testing";
import type { Clock } from "./clock.ts";

/** One direction of a line. Times are milliseconds, rates bytes per millisecond. */
export interface PipeSpec {
  readonly rate: number;
  /** One way. */
  readonly delay: number;
  /** Each segment is late by up to this much; never out of order. */
  readonly jitter?: number;
  /**
   * Share of segments that are lost, and as many of those sent again: what follows waits `stall` ms each time, then all
   * comes at once.
   */
  readonly loss?: number;
  readonly stall?: number;
}

const SEGMENT = 1_448;
const MAX_SEGMENT = 65_536;

interface Arrival {
  readonly bytes: Buffer | undefined;
  at: number;
}

/**
 * One direction of a TCP connection over a line, as the engine sees it: bytes come out in order, none missing, after
 * the queue before the line (the kernel's and the modem's in one), the line's own time for them, and its delay.
 */
export class Pipe {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #deliver: (bytes: Buffer | undefined) => void;
  #spec: PipeSpec;
  readonly #queue: (Buffer | undefined)[] = [];
  #head = 0;
  readonly #underWay: Arrival[] = [];
  #serialising = false;
  #lastArrival = 0;
  #stalledUntil = 0;
  #cut = false;
  /** Bytes written and not yet on the line. */
  queued = 0;
  /** Bytes of which the system below does not know yet that they came to the other one, in order or not. */
  outstanding = 0;
  /** Segments that were lost and have not come yet. */
  #holes = 0;
  /** The other direction, in whose queue TCP's acknowledgements wait. */
  back: Pipe | undefined;

  /** `deliver` gets bytes; undefined stands for the connection's orderly end. */
  constructor(clock: Clock, random: Random, spec: PipeSpec, deliver: (bytes: Buffer | undefined) => void) {
    this.#clock = clock;
    this.#random = random;
    this.#spec = spec;
    this.#deliver = deliver;
  }

  get spec(): PipeSpec {
    return this.#spec;
  }

  /** What the system under this end knows of the line. */
  get report(): LineReport {
    const queue = this.queued / this.#spec.rate;
    const minRtt = this.#spec.delay + (this.back ?? this).spec.delay;
    const { outstanding } = this;
    return { outstanding, unsent: 0, segment: SEGMENT, hasHole: this.#holes > 0, minRtt, queue };
  }

  change(spec: Partial<PipeSpec>): void {
    this.#spec = { ...this.#spec, ...spec };
  }

  write(parts: readonly Buffer[]): void {
    for (const part of parts) {
      this.#queue.push(part);
      this.queued += part.length;
      this.outstanding += part.length;
    }
    this.#serialise();
  }

  end(): void {
    this.#queue.push(undefined);
    this.#serialise();
  }

  get isCut(): boolean {
    return this.#cut;
  }

  /** Nothing comes out any more, and nobody is told. */
  cut(): void {
    this.#cut = true;
  }

  /** Nothing is delivered for this long; then all of it comes at once. */
  stall(ms: number): void {
    this.#stalledUntil = Math.max(this.#stalledUntil, this.#clock.now + ms);
  }

  #serialise(): void {
    if (this.#serialising || this.#cut || this.#head === this.#queue.length) return;
    this.#serialising = true;
    const bytes = this.#nextSegment();
    this.#clock.after((bytes?.length ?? 0) / this.#spec.rate, () => {
      this.#serialising = false;
      this.queued -= bytes?.length ?? 0;
      this.#propagate(bytes);
      this.#serialise();
    });
  }

  /** Large segments stand for many packets on a fast line, where packet granularity shows nothing. */
  #nextSegment(): Buffer | undefined {
    const most = Math.min(MAX_SEGMENT, Math.max(SEGMENT, Math.round(this.#spec.rate / 4)));
    const head = this.#queue[this.#head];
    if (head && head.length > most) {
      this.#queue[this.#head] = head.subarray(most);
      return head.subarray(0, most);
    }
    this.#queue[this.#head++] = undefined;
    if (this.#head > 1_024 && this.#head * 2 > this.#queue.length) {
      this.#queue.splice(0, this.#head);
      this.#head = 0;
    }
    return head;
  }

  #propagate(bytes: Buffer | undefined): void {
    const { delay, jitter = 0, loss = 0, stall = 2 * delay } = this.#spec;
    const length = bytes?.length ?? 0;
    let lost = 0;
    while (loss > 0 && this.#random.chance(loss)) lost += stall;
    const at = this.#clock.now + delay + lost + (jitter > 0 ? this.#random.between(0, jitter) : 0);
    this.#clock.at(Math.max(at, this.#stalledUntil), () => this.#acknowledge(length, lost > 0));
    if (lost > 0) this.#holes++;
    this.#lastArrival = Math.max(at, this.#lastArrival, this.#stalledUntil);
    this.#underWay.push({ bytes, at: this.#lastArrival });
    this.#clock.at(this.#lastArrival, () => this.#arrive());
  }

  /** The system at the other end has these bytes, be others missing before them or not. */
  #acknowledge(length: number, wasLost: boolean): void {
    const wait = this.back ? this.back.queued / this.back.spec.rate + this.back.spec.delay : this.#spec.delay;
    this.#clock.after(wait, () => {
      if (this.#cut || this.back?.isCut) return;
      this.outstanding -= length;
      if (wasLost) this.#holes--;
    });
  }

  #arrive(): void {
    if (this.#cut) return;
    const head = this.#underWay[0];
    if (!head || head.at > this.#clock.now) return;
    if (this.#stalledUntil > this.#clock.now) {
      for (const arrival of this.#underWay) arrival.at = Math.max(arrival.at, this.#stalledUntil);
      this.#lastArrival = Math.max(this.#lastArrival, this.#stalledUntil);
      this.#clock.at(this.#stalledUntil, () => this.#arriveAll());
      return;
    }
    this.#underWay.shift();
    this.#deliver(head.bytes);
  }

  #arriveAll(): void {
    while (!this.#cut && (this.#underWay[0]?.at ?? Number.POSITIVE_INFINITY) <= this.#clock.now)
      this.#arrive();
  }
}
