/** What both programs show of the running gateway. */

import type { StatusConfig } from "@hawser/gateway-kit/config";
import { FLOW_ORDERS, GatewayApi } from "@hawser/status-api/client";
import type { FlowStatus, GatewayEvent } from "@hawser/status-api/model";
import { type Command, InvalidArgumentError, Option } from "commander";
import { followGateway } from "./follow-gateway.ts";
import { gatewayLogCommand, journalCommand, type LogsOptions } from "./logs-command.ts";
import { configOption, countArgument, jsonOption, writeJson } from "./program.ts";
import { renderEvent, renderFlows } from "./render-list.ts";
import { widthOf } from "./screen.ts";
import { statusCommand } from "./status-command.ts";

/** Says where the gateway of a configuration file has its status server. */
export type StatusOf = (file: string) => StatusConfig;

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
    .option("--watch", "again every second, until q or Ctrl-C; on a terminal with rates, bars and flows")
    .action((options: { config: string; json?: boolean; watch?: boolean }) =>
      statusCommand(new GatewayApi(statusOf(options.config)), options),
    );
}

interface FlowsOptions {
  readonly config: string;
  readonly search?: string;
  readonly sort?: (typeof FLOW_ORDERS)[number];
  readonly limit?: number;
  readonly json?: boolean;
}

/** The table's columns, and what the API calls them. */
const SORT_COLUMNS = {
  from: "from",
  to: "to",
  kind: "kind",
  age: "ageSeconds",
  up: "sentBytes",
  down: "receivedBytes",
} as const satisfies Readonly<Record<string, (typeof FLOW_ORDERS)[number]>>;

/** A column as the table shows it, or as the API calls it. */
function sortColumn(text: string): (typeof FLOW_ORDERS)[number] {
  const shown = Object.entries(SORT_COLUMNS).find(([column]) => column === text.toLowerCase());
  const found = shown?.[1] ?? FLOW_ORDERS.find((order) => order === text);
  if (found) return found;
  throw new InvalidArgumentError(`Allowed choices are ${Object.keys(SORT_COLUMNS).join(", ")}.`);
}

function addFlowsCommand(program: Command, statusOf: StatusOf): void {
  jsonOption(configOption(program.command("flows").description("list the open flows")))
    .option("--search <text>", "only those with this in an address, their kind or a line's name")
    .addOption(
      new Option("--sort <column>", "in this order; ages and bytes with the most first")
        .choices(Object.keys(SORT_COLUMNS))
        .argParser(sortColumn),
    )
    .option("--limit <count>", "at most so many", countArgument)
    .action(async ({ config, search, sort, limit, json }: FlowsOptions) => {
      const query = new URLSearchParams({
        ...(search !== undefined && { search }),
        ...(sort && { sort, order: /age|bytes/i.test(sort) ? "desc" : "asc" }),
        ...(limit !== undefined && { limit: String(limit) }),
      });
      const flows = (await new GatewayApi(statusOf(config)).ask(
        `/api/flows?${query.toString()}`,
      )) as FlowStatus[];
      if (json) writeJson(flows);
      else process.stdout.write(renderFlows(flows, search, widthOf(process.stdout)));
    });
}

function addEventsCommand(program: Command, statusOf: StatusOf): void {
  jsonOption(
    configOption(program.command("events").description("list what happened to lines, sessions and flows")),
  )
    .option("--follow", "and what happens from now on, until Ctrl-C; with --json a line each")
    .action(async ({ config, follow, json }: { config: string; follow?: boolean; json?: boolean }) => {
      const api = new GatewayApi(statusOf(config));
      if (follow)
        return followGateway(api, "/api/events", ({ type, data }) => {
          if (type === "log")
            process.stdout.write(json ? `${data}\n` : renderEvent(JSON.parse(data) as GatewayEvent));
        });
      const events = (await api.ask("/api/events")) as GatewayEvent[];
      if (json) writeJson(events);
      else process.stdout.write(events.map(renderEvent).join(""));
    });
}

interface LogsCommandOptions extends LogsOptions {
  readonly config?: string;
}

/** Of the running gateway or, without a configuration to say where that is, of the service. */
function addLogsCommand(program: Command, statusOf: StatusOf): void {
  jsonOption(program.command("logs").description("show the running gateway's log"))
    .option(
      "-c, --config <file>",
      `configuration file; without it, the journal of the service ${program.name()}`,
    )
    .option("--follow", "and what comes from now on, until Ctrl-C")
    .option("--lines <count>", "so many of the last lines", countArgument, 100)
    .action(({ config, ...options }: LogsCommandOptions) =>
      config === undefined
        ? journalCommand(program.name(), options)
        : gatewayLogCommand(new GatewayApi(statusOf(config)), options),
    );
}
