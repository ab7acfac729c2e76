/** `npm run bench`: Hawser beside redsocks + dante over kernel MPTCP, and both beside plain TCP over each line. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { labMissing } from "../lab/requirements.ts";
import { Screen } from "../progress/screen.ts";
import { expectedSteps, measureRow } from "./bench.ts";
import { type Circumstances, circumstances, describe } from "./circumstances.ts";
import { listScenarios, type Play } from "./field/choice.ts";
import { playAll, renderFigures } from "./field/run.ts";
import { MEASURES } from "./measures/index.ts";
import { peerMissing } from "./mptcp-peer.ts";
import { type BenchOptions, parseOptions, USAGE } from "./options.ts";
import { writePicture } from "./pictures.ts";
import { Progress } from "./progress.ts";
import { report, tableOf } from "./report.ts";
import { ROWS } from "./rows.ts";
import type { SystemName } from "./system.ts";
import { renderTable } from "./table.ts";

const ARTIFACTS = join(import.meta.dirname, "..", "..", "artifacts");

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args);
  if (typeof options === "string") {
    console.error(`bench: ${options}`);
    return 2;
  }
  if (options.isHelp) {
    console.log(USAGE);
    return 0;
  }
  if (options.isList) {
    console.log(listScenarios());
    return 0;
  }
  const { field } = options;
  const missing = field
    ? labMissing("conntrack", "tc", "openssl")
    : (labMissing() ?? (options.hasPeer ? peerMissing() : undefined));
  if (missing !== undefined) {
    console.error(`bench: ${missing}`);
    return 1;
  }
  await (field ? playField(field, options, circumstances(args)) : measureAll(options, circumstances(args)));
  return 0;
}

async function measureAll(options: BenchOptions, measured: Circumstances): Promise<void> {
  const systems: SystemName[] = options.hasPeer ? ["mptcp", "hawser"] : ["hawser"];
  const measures = MEASURES.filter(({ name }) => options.measures.includes(name));
  const reports: (ReturnType<typeof report> & { readonly measured: Circumstances })[] = [];
  mkdirSync(ARTIFACTS, { recursive: true });
  const plans = ROWS.filter(({ name }) => options.rows.includes(name)).map((row) => {
    return { row, measures, options, systems };
  });
  const progress = new Progress(new Screen(process.stdout), plans.flatMap(expectedSteps));
  for (const plan of plans) {
    const { row } = plan;
    const runs = await measureRow({
      ...plan,
      progress,
      keep: (recorded) => writePicture(ARTIFACTS, recorded),
    });
    const done = { ...report(row, measures, options, runs), measured };
    reports.push(done);
    write(join(ARTIFACTS, `bench-${row.name}.json`), done);
  }
  if (options.json !== undefined) write(options.json, reports);
  console.log(`\n${renderTable(reports.flatMap(tableOf), "MPTCP")}\n\n${describe(measured)}`);
}

async function playField(
  plays: readonly Play[],
  options: BenchOptions,
  measured: Circumstances,
): Promise<void> {
  const expected = plays.map(({ variant }) => variant.seconds);
  const played = await playAll(plays, options, new Progress(new Screen(process.stdout), expected));
  if (options.json !== undefined) write(options.json, { measured, played });
  const all = played.length > 1 ? `${renderFigures(played)}\n\n` : "";
  console.log(`\n${all}${describe(measured)}`);
}

function write(file: string, what: unknown): void {
  writeFileSync(file, `${JSON.stringify(what, undefined, 2)}\n`);
}
