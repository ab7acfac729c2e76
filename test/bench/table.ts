/** What was measured, as text. */
import { type Bar, type Figure, isMet } from "./measure.ts";

export interface TableLine {
  readonly row: string;
  readonly title: string;
  readonly unit: Figure["unit"];
  readonly hawser: number;
  /** NaN: not measured. */
  readonly mptcp: number;
  readonly bar: Bar | undefined;
  /** Runs in which it failed to be measured of Hawser. */
  readonly failures: number;
}

const HEAD = ["row", "measure", "Hawser", "MPTCP", "bar", "met?"];
const NONE = "-";

export function renderTable(lines: readonly TableLine[]): string {
  const cells = lines.map((line, index) => [
    lines[index - 1]?.row === line.row ? "" : line.row,
    line.title,
    format(line.hawser, line.unit),
    format(line.mptcp, line.unit),
    line.bar === undefined ? NONE : formatBar(line.bar, line.unit),
    verdict(line),
  ]);
  const widths = HEAD.map((head, column) =>
    Math.max(head.length, ...cells.map((row) => (row[column] as string).length)),
  );
  const render = (row: readonly string[]): string =>
    row
      .map((cell, column) =>
        column < 2 ? cell.padEnd(widths[column] as number) : cell.padStart(widths[column] as number),
      )
      .join("  ")
      .trimEnd();
  const rule = widths.map((width) => "-".repeat(width)).join("  ");
  return [render(HEAD), rule, ...cells.map(render)].join("\n");
}

function verdict({ bar, hawser, failures }: TableLine): string {
  if (failures > 0) return "FAILED";
  if (bar === undefined || Number.isNaN(hawser)) return NONE;
  return isMet(bar, hawser) ? "yes" : "NO";
}

export function format(value: number, unit: Figure["unit"]): string {
  if (Number.isNaN(value)) return NONE;
  if (value === Infinity) return "never";
  if (unit === "share") return value.toFixed(3);
  if (unit === "percent") return `${(value * 100).toFixed(2)} %`;
  return unit === "ms" ? `${value.toFixed(0)} ms` : `${value.toFixed(2)} s`;
}

function formatBar(bar: Bar, unit: Figure["unit"]): string {
  return "atLeast" in bar ? `>= ${format(bar.atLeast, unit)}` : `<= ${format(bar.atMost, unit)}`;
}
