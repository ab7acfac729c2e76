/** `logs`: the service's log is systemd's journal; this asks for it, and makes it readable. */

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { CodedError, ErrorCode } from "../config/errors.ts";
import { prettyLogLine } from "../log.ts";

export interface LogsOptions {
  readonly follow?: boolean | undefined;
  readonly lines: number;
  /** As the gateway wrote them, one JSON object a line. */
  readonly json?: boolean | undefined;
}

/** @throws CodedError LOGS_UNAVAILABLE when no service of that name has a journal here */
export async function logsCommand(unit: string, { follow, lines, json }: LogsOptions): Promise<void> {
  await checkService(unit);
  const args = ["-u", unit, "-n", String(lines), "-o", "cat", "-q", ...(follow ? ["-f"] : [])];
  const journal = spawn("journalctl", args, { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(journal, "close");
  const onInterrupt = (): void => void journal.kill();
  process.once("SIGINT", onInterrupt);
  const pretty = prettyLogLine(process.stdout);
  for await (const line of createInterface({ input: journal.stdout }))
    process.stdout.write(json ? `${line}\n` : pretty(line));
  process.removeListener("SIGINT", onInterrupt);
  const [code] = (await ended) as [number | null];
  if (code) throw unavailable(unit, `journalctl ended with ${code}`);
}

async function checkService(unit: string): Promise<void> {
  let state: string;
  try {
    const query = ["show", "-p", "LoadState", "--value", unit];
    state = (await promisify(execFile)("systemctl", query)).stdout.trim();
  } catch {
    throw unavailable(unit, "systemd does not run here");
  }
  if (state !== "loaded") throw unavailable(unit, `systemd knows no service ${unit} here`);
}

function unavailable(unit: string, why: string): CodedError {
  const where = `the gateway writes its log to its stderr: see there where \`${unit} run\` was started`;
  return new CodedError(ErrorCode.logsUnavailable, `${why}; ${where}`);
}
