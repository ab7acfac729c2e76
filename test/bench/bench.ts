/** One row of the bench: a house for each run, in it plain TCP first, then the systems one after the other. */
import { House } from "../lab/house.ts";
import { startOrigin } from "../lab/traffic/run.ts";
import { bounded } from "./bounded.ts";
import { type Measure, type Stand } from "./measure.ts";
import type { BenchOptions } from "./options.ts";
import { FULL, type Pace, QUICK } from "./pace.ts";
import type { Recorded } from "./pictures.ts";
import { expectedPlainSeconds, measurePlain, type Need, type Plain } from "./plain.ts";
import { recordHouse } from "./plot/house.ts";
import type { Recorder, Recording } from "./plot/recording.ts";
import type { Progress } from "./progress.ts";
import { whenQuiet } from "./quiet.ts";
import { type Row, strongLines } from "./rows.ts";
import { type System, type SystemName } from "./system.ts";
import { startSystem } from "./systems.ts";
import { format } from "./table.ts";

/** No measure of one system takes longer than this. */
const MEASURE_LIMIT_MS = 300_000;

/** The figures of each measure by its name; of one that failed, why. */
export type Outcome = Record<string, readonly number[] | { readonly error: string }>;

export interface Run {
  readonly plain: Plain;
  readonly systems: Partial<Record<SystemName, Outcome>>;
}

export interface RowPlan {
  readonly row: Row;
  readonly measures: readonly Measure[];
  readonly options: BenchOptions;
  readonly systems: readonly SystemName[];
  readonly progress: Progress;
  /** What was recorded of a measure; of one that failed as well. */
  keep(recorded: Recorded): void;
}

/** How long each step of a row will take, about, in their order, s. */
export function expectedSteps({
  row,
  measures,
  options,
  systems,
}: Omit<RowPlan, "progress" | "keep">): number[] {
  const pace = paceOf(options);
  const lines = strongLines(row).length;
  const run = [
    expectedPlainSeconds(pace, needsOf(measures), lines),
    ...systems.flatMap(() => measures.map((measure) => measure.expectedSeconds(pace, lines))),
  ];
  return Array.from({ length: options.runs }, () => run).flat();
}

function paceOf({ isQuick }: BenchOptions): Pace {
  return isQuick ? QUICK : FULL;
}

function needsOf(measures: readonly Measure[]): ReadonlySet<Need> {
  return new Set(measures.flatMap((measure) => measure.needs));
}

export async function measureRow(plan: RowPlan): Promise<Run[]> {
  const runs: Run[] = [];
  for (let index = 0; index < plan.options.runs; index++) {
    plan.progress.say(`${plan.row.name}, run ${index + 1} of ${plan.options.runs}`);
    runs.push(await measureOnce(plan, index));
  }
  return runs;
}

async function measureOnce(plan: RowPlan, index: number): Promise<Run> {
  const { row, options, measures, progress } = plan;
  const congestion = options.congestion === undefined ? {} : { congestion: options.congestion };
  await using house = await House.create({ lines: row.lines, seed: index + 1, ...congestion });
  const origin = await startOrigin(house.origin);
  const pace = paceOf(options);
  const plain = await progress.during("plain TCP", () =>
    measurePlain(house, row, origin.port, pace, needsOf(measures)),
  );
  progress.say(describePlain(plain));
  const target = { host: house.addresses.origin.v4, port: origin.port };
  const systems: Run["systems"] = {};
  // Each goes first in turn: what else the machine does is not always to the same one's cost.
  const order = index % 2 === 0 ? plan.systems : plan.systems.toReversed();
  for (const name of order)
    systems[name] = await measureSystem(plan, name, index + 1, { row, house, target, plain, pace });
  return { plain, systems };
}

async function measureSystem(
  plan: RowPlan,
  name: SystemName,
  run: number,
  parts: Omit<Stand, "system" | "recorder">,
): Promise<Outcome> {
  const outcome: Outcome = {};
  const { progress } = plan;
  let system = await startSystem(name, parts.house);
  for (const measure of plan.measures) {
    const started = performance.now();
    const seconds = (): string => `${((performance.now() - started) / 1000).toFixed(0)} s`;
    try {
      const values = await progress.during(`${name} ${measure.name}`, () =>
        recorded(measure, { ...parts, system }, (recording) =>
          plan.keep({ row: plan.row, measure, system: name, run, recording }),
        ),
      );
      outcome[measure.name] = values;
      progress.say(`  ${name} ${measure.name}: ${describe(measure, values)} (${seconds()})`);
    } catch (error) {
      outcome[measure.name] = { error: (error as Error).message };
      progress.say(`  ${name} ${measure.name} FAILED after ${seconds()}: ${(error as Error).message}`);
      system = await restarted(system, parts.house);
    }
    if (await whenQuiet(parts.house)) continue;
    progress.say(`  ${name}: the lines do not get quiet after ${measure.name}: started anew`);
    system = await restarted(system, parts.house);
  }
  await system.stop();
  await whenQuiet(parts.house);
  return outcome;
}

/** Takes a measure; one with a direction is recorded, however it ends. */
async function recorded(
  measure: Measure,
  stand: Stand,
  keep: (recording: Recording) => void,
): Promise<readonly number[]> {
  const take = (recorder?: Recorder): Promise<readonly number[]> =>
    bounded(measure.take({ ...stand, recorder }), measure.name, MEASURE_LIMIT_MS);
  if (measure.direction === undefined) return take();
  const recorder = await recordHouse(stand.house, measure.direction);
  try {
    return await take(recorder);
  } finally {
    keep(await recorder.stop());
  }
}

async function restarted(system: System, house: House): Promise<System> {
  await system.stop();
  await whenQuiet(house);
  return startSystem(system.name, house);
}

function describePlain({ lines }: Plain): string {
  const rate = (bps: number): string => (Number.isNaN(bps) ? "-" : (bps / 1e6).toFixed(2));
  return lines
    .map(
      ({ name, downBps, upBps, firstByteMs }) =>
        `  ${name} alone: ${rate(downBps)} down, ${rate(upBps)} up Mbit/s, first byte ${firstByteMs.toFixed(0)} ms`,
    )
    .join("\n");
}

function describe(measure: Measure, values: readonly number[]): string {
  return measure.figures
    .map(({ title, unit }, index) => `${title} ${format(values[index] ?? Number.NaN, unit)}`)
    .join(", ");
}
