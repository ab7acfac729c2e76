/** One row's runs, and their medians: what is written as JSON and shown in the table. */
import type { Outcome, Run } from "./bench.ts";
import type { Bar, Measure } from "./measure.ts";
import type { BenchOptions } from "./options.ts";
import type { BenchLine, Row } from "./rows.ts";
import { median } from "./statistics.ts";
import type { TableLine } from "./table.ts";

export interface RowReport {
  readonly row: string;
  readonly lines: readonly BenchLine[];
  readonly congestion: string;
  readonly isQuick: boolean;
  readonly figures: readonly (Omit<TableLine, "row" | "beside"> & {
    readonly measure: string;
    readonly mptcp: number;
  })[];
  readonly runs: readonly Run[];
}

export function report(
  row: Row,
  measures: readonly Measure[],
  options: Pick<BenchOptions, "congestion" | "isQuick">,
  runs: readonly Run[],
): RowReport {
  const figures = measures.flatMap((measure) =>
    measure.figures.map((figure, index) => {
      const of = (name: "hawser" | "mptcp"): number =>
        median(runs.map(({ systems }) => valueOf(systems[name], measure.name, index)));
      const bar: Bar | undefined = figure.bar(row);
      return {
        measure: measure.name,
        title: figure.title,
        unit: figure.unit,
        hawser: of("hawser"),
        mptcp: of("mptcp"),
        bar,
        failures: runs.filter(({ systems }) => hasFailed(systems.hawser, measure.name)).length,
      };
    }),
  );
  const congestion = options.congestion ?? "the machine's";
  return { row: row.name, lines: row.lines, congestion, isQuick: options.isQuick, figures, runs };
}

function valueOf(outcome: Outcome | undefined, measure: string, index: number): number {
  const values = outcome?.[measure];
  return values === undefined || "error" in values ? Number.NaN : (values[index] ?? Number.NaN);
}

function hasFailed(outcome: Outcome | undefined, measure: string): boolean {
  const values = outcome?.[measure];
  return values !== undefined && "error" in values;
}

export function tableOf({ row, figures }: RowReport): TableLine[] {
  return figures.map((figure) => ({ row, beside: figure.mptcp, ...figure }));
}
