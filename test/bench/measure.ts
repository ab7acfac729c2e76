/** What a measure is, and what it is taken on. */
import type { House } from "../lab/house.ts";
import type { Pace } from "./pace.ts";
import type { Need, Plain } from "./plain.ts";
import type { Recorder } from "./plot/recording.ts";
import type { Row } from "./rows.ts";
import type { System } from "./system.ts";

export type Bar = { readonly atLeast: number } | { readonly atMost: number };

/** How a value is written. Rates are in bit/s, sizes in bytes. */
export type Unit = "share" | "percent" | "ms" | "s" | "rate" | "bytes" | "count";

/** One line of the table. */
export interface Figure {
  readonly title: string;
  readonly unit: Unit;
  /** What the project promises of it on this row; none: for information. */
  bar(row: Row): Bar | undefined;
}

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

export function isMet(bar: Bar, value: number): boolean {
  return "atLeast" in bar ? value >= bar.atLeast : value <= bar.atMost;
}
