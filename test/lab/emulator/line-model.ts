/**
 * One direction of a line, without clocks or devices: a drop-tail queue, a transmitter of a fixed rate, a wire of a
 * fixed delay. Packets are slot numbers; whoever owns the bytes gets the number back when the packet arrives.
 *
 *   offer -> [blackhole] -> [queue full?] -> transmitter (rate) -> [loss] -> wire (delay) -> take
 *
 * The whole journey is computed when the packet is offered:
 *   departure = max(now, previous departure) + bytes * 8 / rate
 *   arrival   = departure + delay, and never before the packet ahead of it
 * Times are milliseconds of one monotonic clock, given as arguments.
 */
import { randomSource } from "../random.ts";

export interface DirectionSettings {
  /** Bits per second, counting IP bytes; Infinity for a line without a rate. */
  rate: number;
  /** The delay of the wire, one way, milliseconds. It follows the transmission. */
  delayMs: number;
  /** A packet that would wait longer than this for the transmitter is dropped. */
  queueMs: number;
  /** The same limit in waiting bytes; both hold, Infinity switches one off. */
  queueBytes: number;
  /** Share of packets lost on the wire, 0 .. 1. Lost packets have used their transmission time. */
  loss: number;
  /** Swallows all packets, those under way included. Neither end gets a sign of it. */
  blackhole: boolean;
}

export const DEFAULT_SETTINGS: Readonly<DirectionSettings> = {
  rate: Infinity,
  delayMs: 0,
  queueMs: 100,
  queueBytes: Infinity,
  loss: 0,
  blackhole: false,
};

export interface DirectionCounters {
  deliveredPackets: number;
  deliveredBytes: number;
  /** Dropped because the queue was full. */
  queueDrops: number;
  /** Dropped by random loss. */
  lossDrops: number;
  /** Swallowed by the blackhole. */
  blackholeDrops: number;
}

/** The fate of an offered packet. */
export const Fate = { kept: 0, dropped: 1 } as const;
export type Fate = (typeof Fate)[keyof typeof Fate];

export class LineDirection {
  readonly counters: DirectionCounters = {
    deliveredPackets: 0,
    deliveredBytes: 0,
    queueDrops: 0,
    lossDrops: 0,
    blackholeDrops: 0,
  };
  #settings: DirectionSettings;
  /** The time at which the transmitter is done with all packets accepted so far. */
  #busyUntil = 0;
  #lastArrival = 0;
  #msPerByte: number;
  readonly #random: () => number;
  // A ring of packets under way, in order of arrival. head and tail only grow; the mask maps them to entries.
  readonly #mask: number;
  readonly #slots: Int32Array;
  readonly #lengths: Int32Array;
  readonly #departures: Float64Array;
  readonly #arrivals: Float64Array;
  #head = 0;
  #tail = 0;

  /** @param capacity the most packets under way, a power of two; more are dropped as by a full queue */
  constructor(settings: Partial<DirectionSettings>, seed: number, capacity: number) {
    if ((capacity & (capacity - 1)) !== 0) throw new RangeError("capacity must be a power of two");
    this.#settings = checked({ ...DEFAULT_SETTINGS, ...settings });
    this.#msPerByte = 8000 / this.#settings.rate;
    this.#random = randomSource(seed);
    this.#mask = capacity - 1;
    this.#slots = new Int32Array(capacity);
    this.#lengths = new Int32Array(capacity);
    this.#departures = new Float64Array(capacity);
    this.#arrivals = new Float64Array(capacity);
  }

  get settings(): Readonly<DirectionSettings> {
    return this.#settings;
  }

  /** Takes a packet in. When the answer is `dropped`, the slot is the caller's again at once. */
  offer(now: number, slot: number, bytes: number): Fate {
    const settings = this.#settings;
    if (settings.blackhole) {
      this.counters.blackholeDrops++;
      return Fate.dropped;
    }
    const waiting = this.#busyUntil > now ? this.#busyUntil - now : 0;
    if (
      waiting > settings.queueMs ||
      waiting > settings.queueBytes * this.#msPerByte ||
      this.#tail - this.#head > this.#mask
    ) {
      this.counters.queueDrops++;
      return Fate.dropped;
    }
    this.#busyUntil = now + waiting + bytes * this.#msPerByte;
    if (settings.loss > 0 && this.#random() < settings.loss * 4294967296) {
      this.counters.lossDrops++;
      return Fate.dropped;
    }
    const entry = this.#tail++ & this.#mask;
    this.#slots[entry] = slot;
    this.#lengths[entry] = bytes;
    this.#schedule(entry, this.#busyUntil);
    return Fate.kept;
  }

  #schedule(entry: number, departure: number): void {
    const arrival = Math.max(this.#lastArrival, departure + this.#settings.delayMs);
    this.#departures[entry] = departure;
    this.#arrivals[entry] = arrival;
    this.#lastArrival = arrival;
  }

  /** When the next packet arrives; Infinity when none is under way. */
  nextArrival(): number {
    return this.#head === this.#tail ? Infinity : (this.#arrivals[this.#head & this.#mask] as number);
  }

  /** The length of the next packet. Call it only while there is one. */
  nextLength(): number {
    return this.#lengths[this.#head & this.#mask] as number;
  }

  /** Removes the next packet and returns its slot. A packet that a blackhole swallowed on the wire counts as such. */
  take(): number {
    const entry = this.#head++ & this.#mask;
    if (this.#settings.blackhole) {
      this.counters.blackholeDrops++;
    } else {
      this.counters.deliveredPackets++;
      this.counters.deliveredBytes += this.#lengths[entry] as number;
    }
    return this.#slots[entry] as number;
  }

  /** Milliseconds of transmission that wait at `now`. */
  backlogMs(now: number): number {
    return Math.max(0, this.#busyUntil - now);
  }

  /** Packets under way. */
  get size(): number {
    return this.#tail - this.#head;
  }

  /**
   * Changes the line at `now`. Packets that wait for the transmitter go on at the new rate and with the new delay.
   * Packets on the wire keep their arrival. A shorter queue drops no packet that was accepted.
   */
  set(now: number, change: Partial<DirectionSettings>): void {
    const before = this.#msPerByte;
    this.#settings = checked({ ...this.#settings, ...change });
    this.#msPerByte = 8000 / this.#settings.rate;
    // The backlog is work: (departure - now) at the old rate. Its share of the old time per byte becomes the new time.
    const stretch = before === 0 ? 0 : this.#msPerByte / before;
    this.#lastArrival = now;
    for (let at = this.#head; at < this.#tail; at++) {
      const entry = at & this.#mask;
      const departure = this.#departures[entry] as number;
      if (departure > now) this.#schedule(entry, now + (departure - now) * stretch);
      else this.#lastArrival = Math.max(this.#lastArrival, this.#arrivals[entry] as number);
    }
    if (this.#busyUntil > now) this.#busyUntil = now + (this.#busyUntil - now) * stretch;
  }
}

/** @throws RangeError when the settings make no sense */
export function checked(settings: DirectionSettings): DirectionSettings {
  const { rate, delayMs, queueMs, queueBytes, loss } = settings;
  if (!(rate > 0)) throw new RangeError(`rate must be above 0 bit/s, not ${rate}`);
  if (!(delayMs >= 0)) throw new RangeError(`delayMs must be 0 or more, not ${delayMs}`);
  if (!(queueMs >= 0) || !(queueBytes >= 0)) throw new RangeError("the queue must be 0 or more");
  if (!(loss >= 0 && loss <= 1)) throw new RangeError(`loss must be 0 .. 1, not ${loss}`);
  return settings;
}
