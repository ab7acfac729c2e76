/** Runs a command line: exit codes, errors as lines, output that gets where it is to go. */

import { setImmediate } from "node:timers/promises";
import { CodedError, ExitCode, scrubPairings, systemCode } from "@hawser/gateway-kit/config";
import { type Command, CommanderError } from "commander";
import { untilWritten } from "./output.ts";

/**
 * Runs a command line, sets the process's exit code and returns it. An error becomes one line on stderr. Its stack is
 * shown when HAWSER_LOG_LEVEL is debug.
 */
export async function runCli(program: Command, argv: readonly string[] = process.argv): Promise<ExitCode> {
  process.stdout.on("error", handleLostOutput);
  hintAtHelp(program, program.name());
  let code: ExitCode = ExitCode.done;
  try {
    await program.parseAsync([...argv]);
  } catch (error) {
    code = reportError(program.name(), error);
  }
  await untilWritten();
  // Node tells of a failed write a turn later.
  await setImmediate();
  process.stdout.removeListener("error", handleLostOutput);
  // A command that ran to its end may have set the exit code itself: the doctor does when something is bad.
  if (code === ExitCode.done) return process.exitCode === ExitCode.failed ? ExitCode.failed : ExitCode.done;
  process.exitCode = code;
  return code;
}

/** What is shown after an error in the usage of a command: its help, and the commands of a group such as `rules`. */
function hintAtHelp(command: Command, words: string): void {
  const names = command.commands.map((child) => child.name());
  const isGroup = command.parent !== null && names.length > 0;
  const help = `${words} --help explains it`;
  command.showHelpAfterError(isGroup ? `(type one of: ${words} ${names.join("|")}; ${help})` : `(${help})`);
  for (const child of command.commands) hintAtHelp(child, `${words} ${child.name()}`);
}

function reportError(name: string, error: unknown): ExitCode {
  // Commander has printed what is wrong, or the help that was asked for.
  if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.done : ExitCode.usage;
  const line = error instanceof CodedError ? error.message : `${name}: ${describe(error)}`;
  const debug = process.env["HAWSER_LOG_LEVEL"] === "debug" && error instanceof Error;
  process.stderr.write(`${scrubPairings(debug ? `${line}\n${error.stack}` : line)}\n`);
  return error instanceof CodedError ? error.exitCode : ExitCode.failed;
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (systemCode(error) !== undefined) return error.message;
  return `${error.name}: ${error.message} (a fault of this program; HAWSER_LOG_LEVEL=debug shows where)`;
}

/** Ends the process. The reader of a pipe may go before the command ends, as in `status | head`: that is no failure. */
function handleLostOutput(error: NodeJS.ErrnoException): void {
  if (error.code === "EPIPE") process.exit(ExitCode.done);
  process.stderr.write(`the output could not be written: ${error.message}\n`);
  process.exit(ExitCode.failed);
}
