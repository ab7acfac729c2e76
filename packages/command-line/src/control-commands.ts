/** What the local gateway lets its user do with its lines. */

import { CodedError, ErrorCode, ExitCode, parseSize } from "@hawser/gateway-kit/config";
import { PATH_ROLES } from "@hawser/shared-protocol";
import { GatewayApi, statusReportSchema } from "@hawser/status-api/client";
import {
  type DrillProgress,
  type DrillReport,
  formatRate,
  printable,
  type RoleChange,
  type SpeedProgress,
  type SpeedResult,
  sessionsOf,
} from "@hawser/status-api/model";
import { type Command, InvalidArgumentError } from "commander";
import { PATH_ARGUMENT } from "./completion.ts";
import { configOption, durationArgument, durationOption, jsonOption, writeJson } from "./program.ts";
import { renderDrill, renderRoleChange, renderSpeeds } from "./render-list.ts";
import { progressBar, themeOf } from "./text-style.ts";
import type { StatusOf } from "./view-commands.ts";

/** With the words before it, it fits a terminal of 60 columns. */
const BAR_WIDTH = 22;

interface CommonOptions {
  readonly config: string;
  readonly json?: boolean;
}

/** Adds `path`, `drill` and `speedtest`. */
export function addControlCommands(program: Command, statusOf: StatusOf): void {
  addPathCommand(program, statusOf);
  addDrillCommand(program, statusOf);
  addSpeedtestCommand(program, statusOf);
}

function addPathCommand(program: Command, statusOf: StatusOf): void {
  jsonOption(
    configOption(
      program.command("path").description("give a line another role, until the next restart or reload"),
    ),
  )
    .argument(`<${PATH_ARGUMENT}>`, "the line's name")
    .addArgument(program.createArgument("<role>", "what it is to be used as").choices(PATH_ROLES))
    .action(async (name: string, role: string, { config, json }: CommonOptions) => {
      const api = new GatewayApi(statusOf(config));
      const answer = await api.ask(`/api/paths/${encodeURIComponent(name)}`, {
        method: "PATCH",
        body: { role },
      });
      if (json) writeJson(answer);
      else process.stdout.write(renderRoleChange(answer as RoleChange));
      if (role === "disabled") await warnOfLastLine(api, program.name(), name);
    });
}

/** Without a line the LAN is off line: nobody should have to find that out. */
async function warnOfLastLine(api: GatewayApi, program: string, name: string): Promise<void> {
  const report = statusReportSchema.parse(await api.ask("/api/status"));
  const paths = sessionsOf(report).flatMap((session) => session.paths);
  if (!paths.every((path) => path.role === "disabled")) return;
  process.stderr.write(
    `every line is disabled: nothing of the LAN is carried until: ${program} path ${name} active\n`,
  );
}

function addDrillCommand(program: Command, statusOf: StatusOf): void {
  jsonOption(
    configOption(
      program
        .command("drill")
        .description("take a line out and back, and tell what the flows felt; exit 1 if one was lost"),
    ),
  )
    .argument(`<${PATH_ARGUMENT}>`, "the line's name")
    .addOption(
      durationOption("--for <time>", "how long: 1s to 5m; Ctrl-C puts it back earlier", "10s", drillTime),
    )
    .action(async (name: string, { config, json, for: ms }: CommonOptions & { for: number }) => {
      const api = new GatewayApi(statusOf(config));
      const seconds = ms / 1_000;
      const progress = new ProgressLine();
      const url = `/api/paths/${encodeURIComponent(name)}/drill`;
      const tell = (now: DrillProgress): void => progress.show(renderDrillProgress(name, seconds, now));
      const ask = (signal: AbortSignal) =>
        runTrial<DrillProgress, DrillReport>(api, url, { seconds }, tell, signal);
      try {
        const report = await untilInterrupted(ask, `${name} was put back early; there is no report`);
        progress.clear();
        if (json) writeJson(report);
        else process.stdout.write(renderDrill(report));
        if (report.flows.failed > 0 || report.upAfterMs === null) process.exitCode = ExitCode.failed;
      } finally {
        progress.clear();
      }
    });
}

function renderDrillProgress(
  name: string,
  seconds: number,
  { phase, elapsedSeconds, downBps, upBps }: DrillProgress,
): string {
  const shown = printable(name);
  const stage = {
    before: `${shown} goes in a second`,
    out: `${shown} out for ${Math.floor(elapsedSeconds)} of ${seconds} s`,
    return: `${shown} is coming back`,
  };
  return `${stage[phase]}; flows ${formatRate(downBps)} down, ${formatRate(upBps)} up; Ctrl-C puts it back`;
}

function drillTime(text: string): number {
  const ms = durationArgument(text);
  if (ms < 1_000 || ms > 300_000 || ms % 1_000 !== 0)
    throw new InvalidArgumentError("A drill takes 1s to 5m, in whole seconds.");
  return ms;
}

interface SpeedtestCommandOptions extends CommonOptions {
  readonly for: number;
  readonly bytes?: number;
}

function addSpeedtestCommand(program: Command, statusOf: StatusOf): void {
  jsonOption(
    configOption(
      program
        .command("speedtest")
        .description("measure each line alone and all together, down and up, to the remote gateway and back"),
    ),
  )
    .argument(
      `[${PATH_ARGUMENT}...]`,
      "only these lines; without names all that cost nothing (metered, quota)",
    )
    .addOption(durationOption("--for <time>", "of each direction: 2s to 20s", "5s", speedtestTime))
    .option("--bytes <size>", "the most that each direction may cost: 50MB", sizeArgument)
    .action(async (paths: string[], { config, json, for: ms, bytes }: SpeedtestCommandOptions) => {
      const api = new GatewayApi(statusOf(config));
      const body = {
        seconds: ms / 1_000,
        ...(paths.length > 0 && { paths }),
        ...(bytes !== undefined && { bytes }),
      };
      const progress = new ProgressLine();
      const tell = (now: SpeedProgress): void => progress.show(renderSpeedProgress(now));
      const ask = (signal: AbortSignal) =>
        runTrial<SpeedProgress, readonly SpeedResult[]>(api, "/api/speedtest", body, tell, signal);
      try {
        const results = await untilInterrupted(ask, "the speed test was ended early");
        progress.clear();
        if (json) writeJson(results);
        else process.stdout.write(renderSpeeds(results));
        if (results.some(({ error }) => error !== null)) process.exitCode = ExitCode.failed;
      } finally {
        progress.clear();
      }
    });
}

/** Asks for a trial, and follows it to its outcome. @throws CodedError */
async function runTrial<Progress, Outcome>(
  api: GatewayApi,
  path: string,
  body: unknown,
  onProgress: (progress: Progress) => void,
  signal: AbortSignal,
): Promise<Outcome> {
  for await (const { type, data } of api.events(path, { method: "POST", body, signal })) {
    if (type === "progress") onProgress(JSON.parse(data) as Progress);
    else if (type === "problem")
      throw new CodedError(ErrorCode.statusRefused, String(JSON.parse(data).detail));
    else return JSON.parse(data) as Outcome;
  }
  throw new CodedError(ErrorCode.statusUnreachable, "the gateway ended before the trial did");
}

function renderSpeedProgress({ name, phase, share, bps }: SpeedProgress): string {
  const line = name === null ? "together" : printable(name);
  const bar = progressBar(share, BAR_WIDTH, themeOf(process.env, true));
  return `${line.padEnd(16)} ${phase.padEnd(7)} ${formatRate(bps).padStart(10)} ${bar}`;
}

function speedtestTime(text: string): number {
  const ms = durationArgument(text);
  if (ms < 2_000 || ms > 20_000) throw new InvalidArgumentError("A direction is measured for 2s to 20s.");
  return ms;
}

function sizeArgument(text: string): number {
  const size = parseSize(text);
  if (!size.ok) throw new InvalidArgumentError(`${size.problem}.`);
  return size.value;
}

/** Ctrl-C calls off what was asked for. @throws CodedError INTERRUPTED, saying `what` */
async function untilInterrupted<T>(ask: (signal: AbortSignal) => Promise<T>, what: string): Promise<T> {
  const end = new AbortController();
  const stop = (): void => end.abort();
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) process.once(signal, stop);
  try {
    return await ask(end.signal);
  } catch (error) {
    throw end.signal.aborted ? new CodedError(ErrorCode.interrupted, what) : error;
  } finally {
    for (const signal of signals) process.removeListener(signal, stop);
  }
}

/** One line on a terminal's stderr, written over and over; nothing anywhere else. */
class ProgressLine {
  show(text: string): void {
    if (process.stderr.isTTY)
      process.stderr.write(`\r\x1b[K${text.slice(0, (process.stderr.columns ?? 80) - 1)}`);
  }

  clear(): void {
    if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  }
}
