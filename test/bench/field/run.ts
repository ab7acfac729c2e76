/** Plays the variants chosen, one after the other, and shows of each what was measured and what an operator reads. */
import { House } from "../../lab/house.ts";
import { startOrigin } from "../../lab/traffic/run.ts";
import { bounded } from "../bounded.ts";
import type { BenchOptions } from "../options.ts";
import type { Progress } from "../progress.ts";
import { renderTable, type TableLine } from "../table.ts";
import type { Play } from "./choice.ts";
import { type Reading, renderReading } from "./operator.ts";
import { count } from "./scenario.ts";
import { Stand } from "./stand.ts";

/** A variant has failed when it takes so many times as long as expected. */
const PATIENCE = 3;
const BESIDE = "plain TCP, best line";

export interface Played {
  readonly title: string;
  readonly figures: readonly TableLine[];
  readonly readings: readonly Reading[];
  /** Why it was not played to its end. */
  readonly error?: string;
}

export async function playAll(
  plays: readonly Play[],
  options: Pick<BenchOptions, "congestion">,
  progress: Progress,
): Promise<Played[]> {
  const played: Played[] = [];
  for (const play of plays) {
    const one = await progress.during(play.title, () => playOne(play, options));
    progress.say(`\n${renderFigures([one])}`);
    for (const reading of one.readings) progress.say(renderReading(reading));
    if (one.error !== undefined) progress.say(`  FAILED: ${one.error}`);
    played.push(one);
  }
  return played;
}

export function renderFigures(played: readonly Played[]): string {
  return renderTable(
    played.flatMap(({ figures }) => figures),
    BESIDE,
  );
}

async function playOne({ variant, title }: Play, options: Pick<BenchOptions, "congestion">): Promise<Played> {
  const congestion = options.congestion ?? variant.congestion;
  await using house = await House.create({ lines: variant.lines, ...(congestion && { congestion }) });
  const origin = await startOrigin(house.origin);
  const stand = new Stand(house, origin.port, variant.lines, variant.hawser ?? {});
  try {
    const figures = await bounded(variant.play(stand), title, variant.seconds * PATIENCE * 1000);
    const lines = figures.map((figure) => ({ row: title, ...figure, failures: 0 }));
    return { title, figures: lines, readings: stand.readings };
  } catch (error) {
    const failed = { row: title, ...count("played to its end", { hawser: 0, bar: undefined }), failures: 1 };
    return { title, figures: [failed], readings: stand.readings, error: (error as Error).message };
  } finally {
    await stand.stop();
  }
}
