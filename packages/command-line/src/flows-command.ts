import type { FLOW_ORDERS, GatewayApi } from "@hawser/status-api/client";
import type { FlowStatus } from "@hawser/status-api/model";
import { writeJson } from "./output.ts";
import { renderFlows } from "./render-list.ts";
import { widthOf } from "./screen.ts";

export interface FlowsOptions {
  readonly search?: string;
  readonly sort?: (typeof FLOW_ORDERS)[number];
  readonly limit?: number;
  readonly json?: boolean;
}

/** `flows`: ages and bytes are sorted with the most first. @throws as `GatewayApi.ask` */
export async function flowsCommand(
  api: GatewayApi,
  { search, sort, limit, json }: FlowsOptions,
): Promise<void> {
  const query = new URLSearchParams({
    ...(search !== undefined && { search }),
    ...(sort && { sort, order: /age|bytes/i.test(sort) ? "desc" : "asc" }),
    ...(limit !== undefined && { limit: String(limit) }),
  });
  const flows = (await api.ask(`/api/flows?${query.toString()}`)) as FlowStatus[];
  if (json) writeJson(flows);
  else process.stdout.write(renderFlows(flows, search, widthOf(process.stdout)));
}
