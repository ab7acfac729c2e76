/** The declarations of `hawser-local`. Each action imports what carries it out when it runs. */

import {
  addCheckCommand,
  addCompletionCommand,
  addControlCommands,
  addViewCommands,
  configOption,
  createProgram,
  hostArgument,
  jsonOption,
  portArgument,
  runCli,
  type StatusOf,
  usualFile,
} from "@hawser/command-line";
import { readVersion } from "@hawser/gateway-kit/config";
import type { LocalConfig } from "./config.ts";

type Program = ReturnType<typeof createProgram>;

interface ConfigOption {
  readonly config: string;
}

interface JsonOption extends ConfigOption {
  readonly json?: boolean;
}

export async function main(argv: readonly string[]): Promise<void> {
  // An open socket (of a connection that was cut, or a resolver's) must not keep the process alive.
  process.exit(await runCli(localProgram(), argv));
}

export function localProgram(): Program {
  const program = createProgram(
    "hawser-local",
    readVersion(import.meta.url),
    "carries a LAN's TCP over several lines at once",
  );
  configOption(program.command("run").description("run the gateway in the foreground")).action(
    async ({ config }: ConfigOption) => (await import("./run.ts")).run(config),
  );
  addCheckCommand(program, load);
  addViewCommands(program, statusOf);
  addControlCommands(program, statusOf);
  addRulesCommand(program);
  addDoctorCommand(program);
  addConnectCommand(program);
  addCompletionCommand(program, async (file) => (await load(file)).paths.map(({ name }) => name));
  return program;
}

async function load(file: string): Promise<LocalConfig> {
  return (await import("./config.ts")).loadLocalConfig(file);
}

const statusOf: StatusOf = async (file) => (await import("./config.ts")).findLocalStatus(file);

function addRulesCommand(program: Program): void {
  const rules = program.command("rules").description("show, apply or clear the redirect rules");
  jsonOption(
    configOption(rules.command("show").description("print the rules as iptables-restore text")),
  ).action(async ({ config, json }: JsonOption) =>
    (await import("./commands/rules.ts")).showRules(config, json),
  );
  configOption(
    rules.command("apply").description("install the rules, in place of those that are installed"),
  ).action(async ({ config }: ConfigOption) =>
    (await import("./commands/rules.ts")).applyRedirectRules(config),
  );
  rules
    .command("clear")
    .description("remove the rules, whoever installed them")
    .option(
      "-c, --config <file>",
      "configuration file; it only says where a running gateway answers, and may be broken or missing",
    )
    .action(async ({ config = usualFile(program) }: Partial<ConfigOption>) =>
      (await import("./commands/rules.ts")).clearRedirectRules(config),
    );
}

function addDoctorCommand(program: Program): void {
  jsonOption(
    configOption(
      program
        .command("doctor")
        .description(
          "check each line, its route, the remote gateway over it, the rules, IPv6 and DNS; say how to mend what is wrong",
        ),
    ),
  ).action(async ({ config, json }: JsonOption) =>
    (await import("./commands/doctor.ts")).doctor(config, json),
  );
}

function addConnectCommand(program: Program): void {
  configOption(
    program.command("connect").description("connect stdin and stdout to HOST:PORT through the session"),
  )
    .argument("<host>", "an address, or a name that the remote gateway resolves", hostArgument)
    .argument("<port>", "TCP port", portArgument)
    .action(async (host: string, port: number, { config }: ConfigOption) =>
      (await import("./commands/connect.ts")).connect(config, { host, port }),
    );
}
