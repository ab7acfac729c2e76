/**
 * `logs`: the last lines that the running gateway keeps, or the service's lines in systemd's journal, made readable.
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
  /** Leaves the lines as the gateway wrote them: one JSON object a line. */
  readonly json?: boolean | undefined;
}

/** Shows the last lines that the running gateway keeps: those since its start. @throws as `GatewayApi.ask` */
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
 * Shows the service's lines in systemd's journal, also those of earlier runs.
 * @throws CodedError LOGS_UNAVAILABLE when there is no journal, or it has no lines of the service
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
  // A signal ended journalctl: Ctrl-C.
  if (code === null) return;
  if (code !== 0) throw unavailable(unit, `journalctl ended with ${code}`);
  if (count === 0) throw unavailable(unit, `the journal has nothing of a service ${unit}`);
}

function unavailable(unit: string, why: string): CodedError {
  const where = `of a gateway that no service runs, \`${unit} logs -c FILE\` shows it`;
  return new CodedError(ErrorCode.logsUnavailable, `${why}; ${where}`);
}
