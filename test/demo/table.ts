/** What was measured, as the table at the end. */
import { formatRate } from "./progress.ts";

/** Both lines together must reach this share of the sum of the two alone. */
export const REACHED = 0.93;

export interface LineOutcome {
  readonly name: string;
  /** Goodput through Hawser with the other line switched off, bit/s. */
  readonly aloneBps: number;
  /** Goodput of plain TCP, without Hawser, bit/s. */
  readonly plainBps: number;
  /** Of the bytes of the download over both, the share this line carried, 0 .. 1. */
  readonly share: number;
}

export interface Outcome {
  readonly lines: readonly LineOutcome[];
  readonly bothBps: number;
}

export interface Verdict {
  readonly sumBps: number;
  /** Both lines together by the sum of the two alone. */
  readonly ratio: number;
  readonly isReached: boolean;
}

export function judge({ lines, bothBps }: Outcome): Verdict {
  const sumBps = lines.reduce((sum, { aloneBps }) => sum + aloneBps, 0);
  const ratio = sumBps > 0 ? bothBps / sumBps : 0;
  return { sumBps, ratio, isReached: ratio >= REACHED };
}

export function renderTable(outcome: Outcome): string {
  const { sumBps, ratio, isReached } = judge(outcome);
  const row = (title: string, first: string, second = "", third = ""): string =>
    `  ${title.padEnd(17)}${first.padStart(14)}   ${second.padStart(14)}   ${third.padStart(14)}`.trimEnd();
  const rule = `  ${"─".repeat(65)}`;
  const verdict = isReached ? "the sum was reached" : "the sum was NOT reached";
  return [
    row("", "with Hawser", "plain TCP", "share of both"),
    rule,
    ...outcome.lines.map(({ name, aloneBps, plainBps, share }) =>
      row(`${name} alone`, formatRate(aloneBps), formatRate(plainBps), `${(share * 100).toFixed(1)} %`),
    ),
    row("sum of the two", formatRate(sumBps), formatRate(sumOf(outcome.lines.map((line) => line.plainBps)))),
    row("both at once", formatRate(outcome.bothBps)),
    rule,
    `${row("both / sum", ratio.toFixed(3).padEnd(14))}   ${verdict} (asked for: ${REACHED})`,
  ].join("\n");
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
