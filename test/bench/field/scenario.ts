/** What a scenario of the field is: a kind of line that misbehaves, in several variants, each played in a house of its own. */
import type { HawserOptions } from "../../lab/hawser.ts";
import type { BenchLine } from "../rows.ts";
import type { TableLine } from "../table.ts";
import type { Stand } from "./stand.ts";

/** One line of the table: Hawser's value, plain TCP's over the best line (NaN: it has none), and the bar if there is one. */
export type FieldFigure = Pick<TableLine, "title" | "unit" | "hawser" | "beside" | "bar">;

export interface Variant {
  readonly name: string;
  /** Whether `--quick` takes it. */
  readonly isQuick?: boolean;
  /** About how long it takes. Three times as long, and it has failed. */
  readonly seconds: number;
  readonly lines: readonly BenchLine[];
  readonly hawser?: HawserOptions;
  readonly congestion?: "bbr";
  play(stand: Stand): Promise<readonly FieldFigure[]>;
}

export interface Scenario {
  readonly name: string;
  readonly about: string;
  readonly variants: readonly Variant[];
}

type Values = Pick<FieldFigure, "hawser" | "bar"> & { readonly plain?: number };

/** bit/s */
export function rate(title: string, values: Values): FieldFigure {
  return figure(title, "rate", values);
}

/** ms */
export function time(title: string, values: Values): FieldFigure {
  return figure(title, "ms", values);
}

export function seconds(title: string, values: Values): FieldFigure {
  return figure(title, "s", values);
}

export function count(title: string, values: Values): FieldFigure {
  return figure(title, "count", values);
}

export function figure(
  title: string,
  unit: FieldFigure["unit"],
  { hawser, plain = Number.NaN, bar }: Values,
): FieldFigure {
  return { title, unit, hawser, beside: plain, bar };
}

/** A line behind a provider of the same name. Mbit/s down and up, ms one way, ms of queue, share of packets lost. */
export function provided(
  name: string,
  down: number,
  up: number,
  delayMs: number,
  provider = name,
): BenchLine {
  return {
    name,
    down: down * 1e6,
    up: up * 1e6,
    delayMs,
    queueMs: 150,
    loss: 0,
    provider: `${provider}-net`,
  };
}

/** Every combination, the last list turning fastest. */
export function combinations<A, B>(first: readonly A[], second: readonly B[]): [A, B][] {
  return first.flatMap((a) => second.map((b): [A, B] => [a, b]));
}
