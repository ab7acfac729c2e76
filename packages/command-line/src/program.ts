/**
 * What the commands of both gateways have in common.
 *
 * A declaration says what a command is called, what it takes and what it does in a sentence. Help, man pages and
 * completion are made of declarations. What carries the command out is imported by its action, when it runs: `--version`
 * need not load a configuration's parser, and `check` no web server. test/e2e/loading.test.ts holds this.
 */

import type { StatusConfig } from "@hawser/gateway-kit/config";
import type { GatewayApi } from "@hawser/status-api/client";
import { Command, Option } from "commander";
import { completionScript, PATHS_COMMAND, SHELLS, type Shell } from "./completion.ts";
import { describeCommand } from "./describe.ts";

/** A program without commands yet. Commands must be added by `.command(...)`, which hands on its settings. */
export function createProgram(name: string, version: string, description: string): Command {
  return new Command(name)
    .description(description)
    .version(version, "-V, --version", "print the version")
    .helpOption("-h, --help", "explain the command")
    .configureHelp({ showGlobalOptions: true })
    .exitOverride();
}

/** Adds `check -c FILE`. `load` reads the file, and throws what is wrong with it. */
export function addCheckCommand(program: Command, load: (file: string) => unknown): Command {
  return configOption(
    program.command("check").description("check a configuration file, and say what is wrong with it"),
  ).action(async (options: { config: string }) => {
    await load(options.config);
    process.stdout.write(`${options.config}: ok\n`);
  });
}

/**
 * Adds `completion SHELL`. A program whose commands take names of lines gives `pathNames`, which reads them from a
 * configuration: the completion script asks the program for them by a hidden command.
 */
export function addCompletionCommand(
  program: Command,
  pathNames?: (file: string) => Promise<readonly string[]>,
): void {
  program
    .command("completion")
    .description("print a completion script for a shell")
    .addArgument(program.createArgument("<shell>", "the shell").choices(SHELLS))
    .action((shell: Shell) => {
      process.stdout.write(completionScript(shell, describeCommand(program), usualFile(program)));
    });
  if (!pathNames) return;
  configOption(program.command(PATHS_COMMAND, { hidden: true })).action(
    async ({ config }: { config: string }) => {
      process.stdout.write(`${(await pathNames(config)).join("\n")}\n`);
    },
  );
}

/** Adds `-c FILE`. */
export function configOption(command: Command): Command {
  const file = usualFile(command);
  return command.addOption(new Option("-c, --config <file>", "configuration file").default(file, file));
}

/** Where the service of a command's program has its configuration: `hawser-local` in /etc/hawser/local.toml. */
export function usualFile(command: Command): string {
  if (command.parent) return usualFile(command.parent);
  return `/etc/hawser/${command.name().replace(/^hawser-/, "")}.toml`;
}

/** Adds `--json`, for programs that read what a command says. */
export function jsonOption(command: Command): Command {
  return command.option("--json", "as JSON");
}

/** Says where the gateway of a configuration file has its status server. */
export type StatusOf = (file: string) => Promise<StatusConfig>;

/** The running gateway of a configuration file. */
export async function gatewayOf(statusOf: StatusOf, file: string): Promise<GatewayApi> {
  const { GatewayApi } = await import("@hawser/status-api/client");
  return new GatewayApi(await statusOf(file));
}
