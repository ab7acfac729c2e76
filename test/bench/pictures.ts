/** The pictures beside the bench's JSON. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Measure } from "./measure.ts";
import type { Recording } from "./plot/recording.ts";
import { renderPlot } from "./plot/svg.ts";
import type { Row } from "./rows.ts";
import type { SystemName } from "./system.ts";

/** What was recorded of one measure. */
export interface Recorded {
  readonly row: Row;
  readonly measure: Measure;
  readonly system: SystemName;
  /** From 1. */
  readonly run: number;
  readonly recording: Recording;
}

export function writePicture(folder: string, recorded: Recorded): void {
  const { row, measure, system, run, recording } = recorded;
  const transfer = measure.direction === "up" ? "upload" : "download";
  const svg = renderPlot(recording, {
    title: `${row.name}, ${measure.name}: ${system}, run ${run}`,
    description: `What each line carried over time, stacked, and the goodput of each ${transfer}`,
    goodput: `goodput of the ${transfer}`,
  });
  writeFileSync(join(folder, `bench-${row.name}-${measure.name}-${system}-${run}.svg`), svg);
}
