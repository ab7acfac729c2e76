/** Command lines of both gateways: what they have in common. */

import {
  CodedError,
  ErrorCode,
  ExitCode,
  parseDuration,
  scrubPairings,
  systemCode,
} from "@hawser/gateway-kit/config";
import type { Endpoint } from "@hawser/shared-protocol";
import { parseEndpoint, parseHost, parseListenEndpoint } from "@hawser/shared-protocol";
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { completionScript, PATHS_COMMAND, SHELLS, type Shell } from "./completion.ts";
import { describeCommand } from "./describe.ts";
import type { ScreenOutput } from "./screen.ts";

/** A program without commands yet. Commands must be added by `.command(...)`, which hands on its settings. */
export function createProgram(name: string, version: string, description: string): Command {
  return new Command(name)
    .description(description)
    .version(version, "-V, --version", "print the version")
    .helpOption("-h, --help", "explain the command")
    .configureHelp({ showGlobalOptions: true })
    .exitOverride();
}

/** Adds `check -c FILE`. `load` throws what is wrong with the file. */
export function addCheckCommand(program: Command, load: (file: string) => unknown): Command {
  return configOption(program.command("check").description("say what is wrong with a configuration")).action(
    (options: { config: string }) => {
      load(options.config);
      process.stdout.write(`${options.config}: ok\n`);
    },
  );
}

/** Adds `completion SHELL`. `pathNames` reads the names of the lines in a configuration, for a program whose commands take them. */
export function addCompletionCommand(
  program: Command,
  pathNames?: (file: string) => readonly string[],
): void {
  program
    .command("completion")
    .description("print a completion script for a shell")
    .addArgument(program.createArgument("<shell>", "the shell").choices(SHELLS))
    .action((shell: Shell) => {
      process.stdout.write(completionScript(shell, describeCommand(program), usualFile(program)));
    });
  if (!pathNames) return;
  configOption(program.command(PATHS_COMMAND, { hidden: true })).action(({ config }: { config: string }) => {
    process.stdout.write(`${pathNames(config).join("\n")}\n`);
  });
}

/** The option that every command of both programs has. */
export function configOption(command: Command): Command {
  const file = usualFile(command);
  return command.addOption(new Option("-c, --config <file>", "configuration file").default(file, file));
}

/** Where the service of a command's program has its configuration: `hawser-local` in /etc/hawser/local.toml. */
export function usualFile(command: Command): string {
  if (command.parent) return usualFile(command.parent);
  return `/etc/hawser/${command.name().replace(/^hawser-/, "")}.toml`;
}

/** The option for programs that read what a command says. */
export function jsonOption(command: Command): Command {
  return command.option("--json", "as JSON");
}

export function writeJson(value: unknown, stdout: Pick<ScreenOutput, "write"> = process.stdout): void {
  stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

/** For commander: an option or argument that is `HOST:PORT`. */
export function endpointArgument(text: string): Endpoint {
  const endpoint = parseEndpoint(text);
  if (!endpoint.ok) throw new InvalidArgumentError(`${endpoint.problem}.`);
  return endpoint.value;
}

/** For commander: `HOST:PORT` to listen on. */
export function listenArgument(text: string): Endpoint {
  const endpoint = parseListenEndpoint(text);
  if (!endpoint.ok) throw new InvalidArgumentError(`${endpoint.problem}.`);
  return endpoint.value;
}

/** For commander: an IP address or a name. */
export function hostArgument(text: string): string {
  const host = parseHost(text);
  if (!host.ok) throw new InvalidArgumentError(`${host.problem}.`);
  return host.value;
}

/** For commander: a TCP port. */
export function portArgument(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) throw new InvalidArgumentError("A port is a number from 1 to 65535.");
  return port;
}

/** For commander: a number of things, 1 at least. */
export function countArgument(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError("It is a whole number from 1 on.");
  return Number(text);
}

/** For commander: a length of time, in milliseconds. */
export function durationArgument(text: string): number {
  const duration = parseDuration(text);
  if (!duration.ok) throw new InvalidArgumentError(`${duration.problem}.`);
  return duration.value;
}

/** An option that is a length of time; `fallback` is its default, as a user would write it. */
export function durationOption(
  flags: string,
  text: string,
  fallback: string,
  parse: (text: string) => number = durationArgument,
): Option {
  return new Option(flags, text).argParser(parse).default(parse(fallback), fallback);
}

/** For commander: an option that may be given several times. */
export function collect<T>(parse: (text: string) => T) {
  return (text: string, before: readonly T[] = []): T[] => [...before, parse(text)];
}

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

/** Resolves when stdout has taken all: what waits for a full pipe is lost with the end of the process, or of stdout. */
export function untilWritten(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (process.stdout.writableLength === 0) resolve();
  else process.stdout.write("", () => resolve());
  return promise;
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
