/** What both programs show of the running gateway. */

import { setTimeout as sleep } from "node:timers/promises";
import { type Command, Option } from "commander";
import { CodedError } from "../config/errors.ts";
import type { GatewayEvent } from "../status/event-log.ts";
import { FLOW_ORDERS } from "../status/schemas.ts";
import type { StatusConfig } from "../status/status-config.ts";
import type { FlowStatus } from "../status/types.ts";
import { GatewayApi } from "./gateway-api.ts";
import { logsCommand } from "./logs-command.ts";
import { configOption, countArgument, jsonOption, writeJson } from "./program.ts";
import { renderEvent, renderFlows } from "./render-list.ts";
import { widthOf } from "./screen.ts";
import { statusCommand } from "./status-command.ts";

/** Says where the gateway of a configuration file has its status server. */
export type StatusOf = (file: string) => StatusConfig;

/** A gateway that is being restarted is asked again after so long, ms. */
const RETRY_MS = 1_000;

/** Adds `status`, `flows`, `events` and `logs`. */
export function addViewCommands(program: Command, statusOf: StatusOf): void {
  addStatusCommand(program, statusOf);
  addFlowsCommand(program, statusOf);
  addEventsCommand(program, statusOf);
  addLogsCommand(program);
}

export function addStatusCommand(program: Command, statusOf: StatusOf): void {
  jsonOption(
    configOption(program.command("status").description("show the running gateway's sessions and paths")),
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

function addFlowsCommand(program: Command, statusOf: StatusOf): void {
  jsonOption(configOption(program.command("flows").description("list the open flows")))
    .option("--search <text>", "only those with this in an address, their kind or a line's name")
    .addOption(
      new Option("--sort <column>", "in this order; ages and bytes with the most first").choices(FLOW_ORDERS),
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
      if (follow) return followEvents(api, json === true);
      const events = (await api.ask("/api/events")) as GatewayEvent[];
      if (json) writeJson(events);
      else process.stdout.write(events.map(renderEvent).join(""));
    });
}

/** Over restarts of the gateway, without a gap: it is asked for what came after the last event. */
async function followEvents(api: GatewayApi, json: boolean): Promise<void> {
  const end = new AbortController();
  const { signal } = end;
  process.once("SIGINT", () => end.abort());
  let since = 0;
  for (let isFirst = true; !signal.aborted; isFirst = false) {
    try {
      for await (const { event, data } of api.events(`/api/events?since=${since}`, { signal })) {
        if (event !== "log") continue;
        const entry = JSON.parse(data) as GatewayEvent;
        since = entry.id;
        process.stdout.write(json ? `${data}\n` : renderEvent(entry));
      }
    } catch (error) {
      if (signal.aborted) return;
      if (isFirst || !(error instanceof CodedError)) throw error;
    }
    await sleep(RETRY_MS, undefined, { signal }).catch(() => {});
  }
}

function addLogsCommand(program: Command): void {
  jsonOption(program.command("logs").description(`show the log of the service ${program.name()}`))
    .option("--follow", "and what comes from now on, until Ctrl-C")
    .option("--lines <count>", "so many of the last lines", countArgument, 100)
    .action((options: { follow?: boolean; lines: number; json?: boolean }) =>
      logsCommand(program.name(), options),
    );
}
