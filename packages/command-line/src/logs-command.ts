/**
 * `logs`: of the running gateway, which keeps its last lines, or of the service, from systemd's journal; made readable.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { prettyLogLine } from "@hawser/gateway-kit";
import { CodedError, ErrorCode } from "@hawser/gateway-kit/config";
import type { GatewayApi } from "@hawser/status-api/client";
import { followGateway } from "./follow-gateway.ts";

export interface LogsOptions {
  readonly follow?: boolean | undefined;
  readonly lines: number;
  /** As the gateway wrote them, one JSON object a line. */
  readonly json?: boolean | undefined;
}

/** The last of the lines that the gateway keeps, those of before its start not among them. @throws as `GatewayApi.ask` */
export async function gatewayLogCommand(
  api: GatewayApi,
  { follow, lines, json }: LogsOptions,
): Promise<void> {
  const pretty = prettyLogLine(process.stdout);
  const show = (line: string): void => void process.stdout.write(json ? `${line}\n` : pretty(line));
  const query = { lines: String(lines) };
  if (follow) return followGateway(api, "/api/logs", ({ data }) => show(data), { query });
  const last = (await api.ask(`/api/logs?lines=${lines}`)) as readonly unknown[];
  for (const line of last) show(JSON.stringify(line));
}

/**
 * What the service has logged, over its restarts. @throws CodedError LOGS_UNAVAILABLE when there is no journal, or none
 * of that service
 */
export async function journalCommand(unit: string, { follow, lines, json }: LogsOptions): Promise<void> {
  const args = ["-u", unit, "-n", String(lines), "-o", "cat", "-q", ...(follow ? ["-f"] : [])];
  const journal = spawn("journalctl", args, { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(journal, "close").catch(() => {
    throw unavailable(unit, "there is no journalctl here (systemd has it)");
  });
  const onInterrupt = (): void => void journal.kill();
  process.once("SIGINT", onInterrupt);
  const pretty = prettyLogLine(process.stdout);
  let count = 0;
  const show = async (): Promise<void> => {
    for await (const line of createInterface({ input: journal.stdout })) {
      count++;
      process.stdout.write(json ? `${line}\n` : pretty(line));
    }
  };
  const [[code]] = (await Promise.all([ended, show()])) as [[number | null], void];
  process.removeListener("SIGINT", onInterrupt);
  // By a signal: the user has seen enough.
  if (code === null) return;
  if (code !== 0) throw unavailable(unit, `journalctl ended with ${code}`);
  if (count === 0) throw unavailable(unit, `the journal has nothing of a service ${unit}`);
}

function unavailable(unit: string, why: string): CodedError {
  const where = `of a gateway that no service runs, \`${unit} logs -c FILE\` shows it`;
  return new CodedError(ErrorCode.logsUnavailable, `${why}; ${where}`);
}
