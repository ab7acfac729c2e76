/** What a measure is, and what it is taken on. */
import type { House } from "../lab/house.ts";
import type { Recorder } from "../plot/recording.ts";
import type { Plain } from "./plain.ts";
import type { Row } from "./rows.ts";
import type { System } from "./systems.ts";

export type Bar = { readonly atLeast: number } | { readonly atMost: number };

/** One line of the table. */
export interface Figure {
  readonly title: string;
  readonly unit: "share" | "percent" | "ms" | "s";
  /** What the project promises of it on this row; none: for information. */
  bar(row: Row): Bar | undefined;
}

/** What of plain TCP a measure compares with. */
export type Need = "down" | "up" | "overhead";

export interface Measure {
  readonly name: string;
  readonly needs: readonly Need[];
  /** Where time matters: the way in which its bytes go. The lines are recorded then, and a picture is drawn. */
  readonly direction?: "down" | "up";
  readonly figures: readonly Figure[];
  /** About how long it takes with so many lines that count, s. */
  expectedSeconds(pace: Pace, lines: number): number;
  /** The figures, in their order. NaN: not to be had of this system. */
  take(stand: Stand): Promise<readonly number[]>;
}

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

/** One system at work in a house. */
export interface Stand {
  readonly row: Row;
  readonly house: House;
  /** The origin's. */
  readonly target: { readonly host: string; readonly port: number };
  readonly plain: Plain;
  readonly system: System;
  readonly pace: Pace;
  /** For a measure with a direction, which says what it does when, and adds its transfers. */
  readonly recorder?: Recorder | undefined;
}

/** What it takes until the lines are quiet again after a transfer, s, for expectations. */
export const QUIET_S = 2;

/** What every transfer leaves out of its beginning. */
export const SKIP_MS = 1000;

export function isMet(bar: Bar, value: number): boolean {
  return "atLeast" in bar ? value >= bar.atLeast : value <= bar.atMost;
}
