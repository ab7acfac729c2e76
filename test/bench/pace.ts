/** How long measures take, and what they leave out. */

/** How long everything takes. */
export interface Pace {
  /** Of a transfer. */
  readonly seconds: number;
  /** First bytes of fresh connections: idle, and under load. */
  readonly idleSamples: number;
  readonly loadedSamples: number;
  /** How long a line is away before it returns. */
  readonly darkSeconds: number;
  /** How long its return is watched. */
  readonly returnSeconds: number;
  readonly stallSeconds: number;
}

export const FULL: Pace = {
  seconds: 12,
  idleSamples: 30,
  loadedSamples: 100,
  darkSeconds: 30,
  returnSeconds: 10,
  stallSeconds: 60,
};
export const QUICK: Pace = {
  seconds: 6,
  idleSamples: 10,
  loadedSamples: 40,
  darkSeconds: 6,
  returnSeconds: 6,
  stallSeconds: 8,
};

/** What it takes until the lines are quiet again after a transfer, s, for expectations. */
export const QUIET_S = 2;

/** What every transfer leaves out of its beginning. */
export const SKIP_MS = 1000;
