/** The commands of the local gateway that change or measure its lines. */

import { PATH_ROLES } from "@hawser/shared-protocol";
import { type Command, InvalidArgumentError } from "commander";
import { durationArgument, durationOption, sizeArgument } from "./arguments.ts";
import { PATH_ARGUMENT } from "./completion.ts";
import { configOption, gatewayOf, jsonOption, type StatusOf } from "./program.ts";

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
    .addArgument(program.createArgument("<role>", "its new role").choices(PATH_ROLES))
    .action(async (name: string, role: string, { config, json }: CommonOptions) => {
      const { pathCommand } = await import("./path-command.ts");
      const change = { name, role, program: program.name() };
      await pathCommand(await gatewayOf(statusOf, config), change, json);
    });
}

function addDrillCommand(program: Command, statusOf: StatusOf): void {
  jsonOption(
    configOption(
      program
        .command("drill")
        .description(
          "take a line out for a while, and say what the flows felt; exit code 1 if a flow was lost",
        ),
    ),
  )
    .argument(`<${PATH_ARGUMENT}>`, "the line's name")
    .addOption(
      durationOption(
        "--for <time>",
        "how long the line stays out: 1s to 5m; Ctrl-C brings it back earlier",
        "10s",
        drillTime,
      ),
    )
    .action(async (name: string, { config, json, for: ms }: CommonOptions & { for: number }) => {
      const { drillCommand } = await import("./drill-command.ts");
      await drillCommand(await gatewayOf(statusOf, config), { name, seconds: ms / 1_000 }, json);
    });
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
      "names of the lines to measure; without names: each line that is neither metered nor has a quota",
    )
    .addOption(
      durationOption("--for <time>", "how long to measure each direction: 2s to 20s", "5s", speedtestTime),
    )
    .option("--bytes <size>", "the most bytes to spend on each direction, such as 50MB", sizeArgument)
    .action(async (paths: string[], { config, json, for: ms, bytes }: SpeedtestCommandOptions) => {
      const { speedtestCommand } = await import("./speedtest-command.ts");
      const wanted = {
        seconds: ms / 1_000,
        ...(paths.length > 0 && { paths }),
        ...(bytes !== undefined && { bytes }),
      };
      await speedtestCommand(await gatewayOf(statusOf, config), wanted, json);
    });
}

function speedtestTime(text: string): number {
  const ms = durationArgument(text);
  if (ms < 2_000 || ms > 20_000) throw new InvalidArgumentError("A direction is measured for 2s to 20s.");
  return ms;
}
