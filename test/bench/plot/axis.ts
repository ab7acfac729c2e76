/** Where an axis has its ticks, and in which unit. */

/** Whole steps of 1, 2 or 5 times a power of ten from 0 on, about so many, the last one not below `highest`. */
export function ticks(highest: number, about: number): number[] {
  const rough = Math.max(highest, Number.MIN_VALUE) / about;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5].find((factor) => factor * power >= rough * 0.999) ?? 10) * power;
  const count = Math.ceil(highest / step - 1e-9);
  // Rounded, for 3 * 0.1 is not 0.3.
  return Array.from({ length: Math.max(1, count) + 1 }, (_, n) => Number((n * step).toPrecision(12)));
}

export interface RateUnit {
  readonly name: string;
  /** Bit/s. */
  readonly size: number;
}

const UNITS: readonly RateUnit[] = [
  { name: "Gbit/s", size: 1e9 },
  { name: "Mbit/s", size: 1e6 },
];

/** The largest unit of which the rate is at least one, or the smallest. */
export function rateUnit(highestBps: number): RateUnit {
  return UNITS.find(({ size }) => highestBps >= size) ?? { name: "kbit/s", size: 1e3 };
}
