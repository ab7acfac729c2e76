/** The commands of both programs that show what a running gateway says. */

import { type Command, InvalidArgumentError, Option } from "commander";
import { countArgument } from "./arguments.ts";
import type { FlowsOptions } from "./flows-command.ts";
import type { LogsOptions } from "./logs-command.ts";
import { configOption, gatewayOf, jsonOption, type StatusOf } from "./program.ts";

/** Adds `status`, `flows`, `events` and `logs`. */
export function addViewCommands(program: Command, statusOf: StatusOf): void {
  addStatusCommand(program, statusOf);
  addFlowsCommand(program, statusOf);
  addEventsCommand(program, statusOf);
  addLogsCommand(program, statusOf);
}

export function addStatusCommand(program: Command, statusOf: StatusOf): void {
  jsonOption(
    configOption(program.command("status").description("show the running gateway's sessions and lines")),
  )
    .option("--watch", "repeat it each second until q or Ctrl-C; a terminal also shows rates, bars and flows")
    .action(async ({ config, ...options }: { config: string; json?: boolean; watch?: boolean }) => {
      const { statusCommand } = await import("./status-command.ts");
      await statusCommand(await gatewayOf(statusOf, config), options);
    });
}

/** The columns of the table, and what the API calls them. */
const SORT_COLUMNS = {
  from: "from",
  to: "to",
  kind: "kind",
  age: "ageSeconds",
  up: "sentBytes",
  down: "receivedBytes",
} as const satisfies Readonly<Record<string, FlowsOptions["sort"]>>;

type SortColumn = (typeof SORT_COLUMNS)[keyof typeof SORT_COLUMNS];

/** A column as the table shows it, or as the API calls it. */
function sortColumn(text: string): SortColumn {
  const found = Object.entries(SORT_COLUMNS).find(
    ([shown, column]) => shown === text.toLowerCase() || column === text,
  );
  if (found) return found[1];
  throw new InvalidArgumentError(`Allowed choices are ${Object.keys(SORT_COLUMNS).join(", ")}.`);
}

function addFlowsCommand(program: Command, statusOf: StatusOf): void {
  jsonOption(configOption(program.command("flows").description("list the open flows")))
    .option(
      "--search <text>",
      "list only flows with this text in an address, in their kind or in a line's name",
    )
    .addOption(
      new Option("--sort <column>", "sort by this column; for ages and bytes the largest come first")
        .choices(Object.keys(SORT_COLUMNS))
        .argParser(sortColumn),
    )
    .option("--limit <count>", "list at most this many flows", countArgument)
    .action(async ({ config, ...options }: FlowsOptions & { config: string }) => {
      const { flowsCommand } = await import("./flows-command.ts");
      await flowsCommand(await gatewayOf(statusOf, config), options);
    });
}

function addEventsCommand(program: Command, statusOf: StatusOf): void {
  jsonOption(
    configOption(program.command("events").description("list what happened to lines, sessions and flows")),
  )
    .option("--follow", "go on with new events until Ctrl-C; with --json each is one line")
    .action(async ({ config, ...options }: { config: string; follow?: boolean; json?: boolean }) => {
      const { eventsCommand } = await import("./events-command.ts");
      await eventsCommand(await gatewayOf(statusOf, config), options);
    });
}

/**
 * The configuration says where the gateway answers. Without it the command shows the log that systemd has of the
 * service.
 */
function addLogsCommand(program: Command, statusOf: StatusOf): void {
  jsonOption(program.command("logs").description("show the running gateway's log"))
    .option(
      "-c, --config <file>",
      `configuration file of a running gateway; without it the journal of the service ${program.name()} is shown`,
    )
    .option("--follow", "go on with new lines until Ctrl-C")
    .option("--lines <count>", "how many of the last lines to show", countArgument, 100)
    .action(async ({ config, ...options }: LogsOptions & { config?: string }) => {
      const { gatewayLogCommand, journalCommand } = await import("./logs-command.ts");
      if (config === undefined) await journalCommand(program.name(), options);
      else await gatewayLogCommand(await gatewayOf(statusOf, config), options);
    });
}
