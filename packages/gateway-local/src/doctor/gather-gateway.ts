/** Finds out whether a gateway runs with this configuration, by asking its status server. */

import { parseJson, type StatusConfig } from "@hawser/gateway-kit/config";
import { GatewayApi, statusReportSchema } from "@hawser/status-api/client";
import type { GatewayFacts } from "./facts.ts";

/** Longer than a busy gateway takes, milliseconds. */
const TIMEOUT_MS = 3_000;

export async function gatherGateway(status: StatusConfig): Promise<GatewayFacts> {
  const { url } = new GatewayApi(status);
  const token = status.token?.reveal().toString("utf8");
  const headers = {
    accept: "application/json",
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
  };
  const ask = async (path: string): Promise<{ code: number; body: unknown }> => {
    const options = { headers, redirect: "manual", signal: AbortSignal.timeout(TIMEOUT_MS) } as const;
    const response = await fetch(`${url}${path}`, options);
    const text = await response.text();
    return { code: response.status, body: parseJson(text) };
  };
  try {
    const { code, body } = await ask("/api/status");
    if (isProblem(body) && (code === 401 || code === 429)) return { state: "locked" };
    const report = statusReportSchema.safeParse(body);
    if (!report.success) return { state: "foreign", what: `HTTP ${code}, which is no Hawser's` };
    if (report.data.role === "remote") return { state: "foreign", what: "it is hawser-remote" };
    const health = await ask("/healthz");
    const { reason } = (health.body ?? {}) as { reason?: string };
    return { state: "runs", report: report.data, isHealthy: health.code === 200, reason: reason ?? "" };
  } catch (error) {
    const cause = (error as Error).cause as NodeJS.ErrnoException | undefined;
    if (cause?.code === "ECONNREFUSED") return { state: "absent" };
    return { state: "foreign", what: cause?.message ?? "it does not answer as a web server does" };
  }
}

/** Whether an answer is a problem of RFC 9457, as a gateway's refusals are. */
function isProblem(body: unknown): boolean {
  return typeof body === "object" && body !== null && "detail" in body;
}
