/** What was measured, as text. */
import { formatBytes } from "@hawser/status-api/model";
import { type Bar, isMet, type Unit } from "./measure.ts";

export interface TableLine {
  readonly row: string;
  readonly title: string;
  readonly unit: Unit;
  readonly hawser: number;
  /** NaN: not measured. */
  readonly beside: number;
  readonly bar: Bar | undefined;
  /** Runs in which it failed to be measured of Hawser. */
  readonly failures: number;
}

const NONE = "-";

/** @param beside what Hawser is compared with */
export function renderTable(lines: readonly TableLine[], beside: string): string {
  const head = ["row", "measure", "Hawser", beside, "bar", "met?"];
  const cells = lines.map((line, index) => [
    lines[index - 1]?.row === line.row ? "" : line.row,
    line.title,
    format(line.hawser, line.unit),
    format(line.beside, line.unit),
    line.bar === undefined ? NONE : formatBar(line.bar, line.unit),
    verdict(line),
  ]);
  const widths = head.map((title, column) =>
    Math.max(title.length, ...cells.map((row) => (row[column] as string).length)),
  );
  const render = (row: readonly string[]): string =>
    row
      .map((cell, column) =>
        column < 2 ? cell.padEnd(widths[column] as number) : cell.padStart(widths[column] as number),
      )
      .join("  ")
      .trimEnd();
  const rule = widths.map((width) => "-".repeat(width)).join("  ");
  return [render(head), rule, ...cells.map(render)].join("\n");
}

function verdict({ bar, hawser, failures }: TableLine): string {
  if (failures > 0) return "FAILED";
  if (bar === undefined || Number.isNaN(hawser)) return NONE;
  return isMet(bar, hawser) ? "yes" : "NO";
}

export function format(value: number, unit: Unit): string {
  if (Number.isNaN(value)) return NONE;
  if (value === Infinity) return "never";
  if (unit === "share") return value.toFixed(3);
  if (unit === "percent") return `${(value * 100).toFixed(2)} %`;
  if (unit === "rate") return `${(value / 1e6).toFixed(2)} Mbit/s`;
  if (unit === "bytes") return formatBytes(value);
  if (unit === "count") return value.toFixed(0);
  return unit === "ms" ? `${value.toFixed(0)} ms` : `${value.toFixed(2)} s`;
}

function formatBar(bar: Bar, unit: Unit): string {
  return "atLeast" in bar ? `>= ${format(bar.atLeast, unit)}` : `<= ${format(bar.atMost, unit)}`;
}
