/** Runs a command line: exit codes, errors as lines, output that gets where it is to go. */

import { CodedError, ErrorCode, ExitCode, scrubPairings, systemCode } from "@hawser/gateway-kit/config";
import { type Command, CommanderError } from "commander";
import { untilWritten } from "./output.ts";

/**
 * Runs a command line and sets the process's exit code, which it returns. Errors become one line each; a stack is
 * for those who ask for it by HAWSER_LOG_LEVEL=debug.
 */
export async function runCli(program: Command, argv: readonly string[] = process.argv): Promise<ExitCode> {
  // `status | head` ends the pipe early; that is no failure.
  process.stdout.on("error", ignoreClosedPipe);
  hintAtHelp(program, program.name());
  let code: ExitCode = ExitCode.done;
  try {
    await program.parseAsync([...argv]);
    refuseLostOutput();
  } catch (error) {
    code = reportError(program.name(), error);
  } finally {
    await untilWritten();
    process.stdout.removeListener("error", ignoreClosedPipe);
  }
  // A command that has done its work may have found something that is not well.
  if (code === ExitCode.done) return process.exitCode === ExitCode.failed ? ExitCode.failed : ExitCode.done;
  process.exitCode = code;
  return code;
}

/** After an error in its usage each command names its own help. */
function hintAtHelp(command: Command, words: string): void {
  command.showHelpAfterError(`(${words} --help explains it)`);
  for (const child of command.commands) hintAtHelp(child, `${words} ${child.name()}`);
}

function reportError(name: string, error: unknown): ExitCode {
  // Commander has said already what is wrong, or has shown its help.
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

/** What was written to a full disk is lost: that is told a turn later, when nobody may be there any more. */
function refuseLostOutput(): void {
  const { errored } = process.stdout;
  if (errored && systemCode(errored) !== "EPIPE")
    throw new CodedError(ErrorCode.outputLost, `the output could not be written: ${errored.message}`);
}

function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code === "EPIPE") process.exit(ExitCode.done);
  throw error;
}
