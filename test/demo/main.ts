/** `npm start`: what Hawser does, shown on two emulated ADSL lines. See options.ts. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { basename, join, relative } from "node:path";
import { Recorder, type Recording } from "../bench/plot/recording.ts";
import { renderPlot } from "../bench/plot/svg.ts";
import { labMissing } from "../lab/requirements.ts";
import { Screen } from "../progress/screen.ts";
import { buildHouse } from "./house-stage.ts";
import { buildLoopback } from "./loopback-stage.ts";
import { parseOptions, USAGE } from "./options.ts";
import { LINES, type Stage } from "./stage.ts";
import { tell } from "./story.ts";
import { judge, renderTable } from "./table.ts";

/** How much of the gateways' logs is shown when the demo fails. */
const LOG_LINES = 5;
/** Not in the repository. */
const ARTIFACTS = join(import.meta.dirname, "..", "..", "artifacts");
const Exit = { reached: 0, notReached: 1, usage: 2 } as const;

const options = parseOptions(process.argv.slice(2));
if (typeof options === "string") {
  process.stderr.write(`npm start: ${options}\n`);
  process.exit(Exit.usage);
}
if (options.help) {
  process.stdout.write(USAGE);
  process.exit(0);
}

// Whoever read it is gone (a closed terminal, `| head`): there is nobody to show it to.
process.stdout.on("error", () => process.exit(Exit.notReached));
const screen = new Screen(process.stdout);
/** What a signal does: ends the demo; the exit handlers clean up. While the dashboards are up, it is the regular end. */
let onSignal = (signal: NodeJS.Signals): void => {
  screen.say("hawser: called off");
  process.exit(128 + constants.signals[signal]);
};
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => onSignal(signal));

const folder = scratchFolder();
try {
  process.exitCode = await demonstrate(options.once);
} catch (error) {
  screen.say(`hawser: the demo failed: ${error instanceof Error ? error.message : String(error)}`);
  for (const line of lastWords()) process.stderr.write(`${line}\n`);
  process.exitCode = Exit.notReached;
}
// What is left of sockets and timers is not waited for.
process.exit();

async function demonstrate(once: boolean): Promise<number> {
  const stage = await build();
  screen.say(`\n${stage.drawing}\n`);
  const recorder = await Recorder.start(
    LINES.map(({ name }) => name),
    () => stage.carried(),
  );
  const outcome = await tell({ stage, screen, recorder });
  screen.say(`\n${renderTable(outcome)}\n`);
  screen.say(`  a picture of it             ${writePicture(await recorder.stop())}`);
  if (!once) await showDashboards(stage);
  await stage.close();
  return judge(outcome).isReached ? Exit.reached : Exit.notReached;
}

/** Where the picture is, from where the user stands; or why there is none, which does not spoil the rest. */
function writePicture(recording: Recording): string {
  const svg = renderPlot(recording, {
    title: "Two emulated ADSL lines, alone and both at once",
    description:
      "What each of two lines carried over time, stacked, and the goodput of one download at a time",
    goodput: "goodput of the download",
  });
  const file = join(ARTIFACTS, "demo.svg");
  try {
    mkdirSync(ARTIFACTS, { recursive: true });
    writeFileSync(file, svg);
    return relative(process.cwd(), file);
  } catch (error) {
    return `could not be written: ${(error as Error).message}`;
  }
}

function build(): Promise<Stage> {
  const missing = whyLoopback();
  if (missing === undefined) {
    screen.say("hawser: drawing a house in network namespaces, and starting both gateways");
    return buildHouse(folder);
  }
  screen.say(`hawser: no network namespaces: ${missing}`);
  screen.say(
    "hawser: the same story on loopback: the client speaks SOCKS5, the lines are shaped in user space",
  );
  return buildLoopback(folder);
}

/** Why there can be no house, or undefined. */
function whyLoopback(): string | undefined {
  if (process.env["HAWSER_DEMO"] === "loopback") return "HAWSER_DEMO=loopback asks for none";
  return labMissing() ?? curlMissing();
}

/** The lab asks the gateways' status servers with curl. */
function curlMissing(): string | undefined {
  try {
    execFileSync("curl", ["--version"], { stdio: "ignore" });
    return undefined;
  } catch {
    return "the lab needs the command curl";
  }
}

/** For every file of the run, of the lab's as well; it goes when the process does. */
function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "hawser-demo-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  process.env["TMPDIR"] = folder;
  return folder;
}

/** The end of each gateway's log, which goes with the folder. */
function lastWords(): string[] {
  const logs = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith(".log"),
  );
  return logs.flatMap((name) => {
    const lines = readFileSync(join(folder, name), "utf8").trimEnd().split("\n");
    return [`${basename(name)}, its end:`, ...lines.slice(-LOG_LINES)];
  });
}

async function showDashboards({ dashboards }: Stage): Promise<void> {
  screen.say(`  hawser-local's dashboard    ${dashboards.local}/`);
  screen.say(`  hawser-remote's dashboard   ${dashboards.remote}/`);
  screen.say("\n  Ctrl-C ends the demo.");
  const callOff = onSignal;
  await new Promise<void>((resolve) => {
    onSignal = () => resolve();
  });
  onSignal = callOff;
  screen.say("hawser: ending");
}
