/** Runs commands. Tests put a fake in its place (`iptables-wrapper/testing`). */

import { execFile } from "node:child_process";
import { RunnerExit } from "./errors.ts";

export interface RunResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end. */
export interface Runner {
  /** Resolves whatever the exit code is; a command that could not run gives a code of `RunnerExit`. */
  run(command: string, args: readonly string[], input?: string): Promise<RunResult>;
}

export interface SystemRunnerOptions {
  /** Milliseconds after which the command is killed; beyond any wait for the xtables lock. */
  readonly timeoutMs?: number;
}

const DEFAULT_TIMEOUT_MS = 30_000;
/** Hosts with container networks save megabytes of rules. */
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;
/** Services are often started without the directories in which iptables lives. */
const SBIN = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/** Runs the machine's own commands, without a shell. */
export function systemRunner(options: SystemRunnerOptions = {}): Runner {
  const timeout = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const path = [process.env["PATH"] ?? "/usr/bin:/bin", ...SBIN].join(":");
  const env = { ...process.env, PATH: path, LC_ALL: "C" };
  return {
    run: (command, args, input = "") =>
      new Promise((resolve) => {
        const settings = { env, timeout, killSignal: "SIGKILL", maxBuffer: MAX_OUTPUT_BYTES } as const;
        const child = execFile(command, args, settings, (error, stdout, stderr) => {
          const code = exitCode(error);
          resolve({ code, stdout, stderr: stderr || explain(code, command, error?.message ?? "") });
        });
        // A command that ends without reading its input breaks the pipe; its exit code says the rest.
        child.stdin?.on("error", () => {});
        child.stdin?.end(input);
      }),
  };
}

function exitCode(error: ({ code?: number | string | null; killed?: boolean } & Error) | null): number {
  if (!error) return 0;
  if (typeof error.code === "number") return error.code;
  if (error.code === "ENOENT") return RunnerExit.notFound;
  if (error.code === "EACCES" || error.code === "EPERM") return RunnerExit.notExecutable;
  return error.killed === true && error.code === null ? RunnerExit.timedOut : 1;
}

function explain(code: number, command: string, message: string): string {
  if (code === 0) return "";
  if (code === RunnerExit.notFound) return `${command}: not found`;
  return message;
}
