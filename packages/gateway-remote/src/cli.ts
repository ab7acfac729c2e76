/** The declarations of `hawser-remote`. Each action imports what carries it out when it runs. */

import {
  addCheckCommand,
  addCompletionCommand,
  addViewCommands,
  collect,
  configOption,
  createProgram,
  durationOption,
  endpointArgument,
  jsonOption,
  listenArgument,
  runCli,
  type StatusOf,
  usualFile,
} from "@hawser/command-line";
import { readVersion } from "@hawser/gateway-kit/config";
import type { Endpoint } from "@hawser/shared-protocol";

type Program = ReturnType<typeof createProgram>;

interface ConfigOption {
  readonly config: string;
}

interface InitOption extends ConfigOption {
  readonly listen: Endpoint;
  readonly advertise?: readonly Endpoint[];
}

export async function main(argv: readonly string[]): Promise<void> {
  // An open socket must not keep the process alive.
  process.exit(await runCli(remoteProgram(), argv));
}

export function remoteProgram(): Program {
  const program = createProgram(
    "hawser-remote",
    readVersion(import.meta.url),
    "the far end: connects to the destinations of what local gateways carry",
  );
  addInitCommand(program);
  addPeerCommands(program);
  configOption(program.command("run").description("run the gateway in the foreground")).action(
    async ({ config }: ConfigOption) => (await import("./run.ts")).run(config),
  );
  addCheckCommand(program, async (file) => (await import("./config.ts")).checkRemoteConfig(file));
  addViewCommands(program, statusOf);
  addCompletionCommand(program);
  return program;
}

const statusOf: StatusOf = async (file) => (await import("./config.ts")).findRemoteStatus(file);

function addInitCommand(program: Program): void {
  configOption(program.command("init").description("write a configuration and a new identity"))
    .requiredOption("--listen <host:port>", "where local gateways connect to", listenArgument)
    .option(
      "--advertise <host:port>",
      "where local gateways reach it, if that is not the --listen address; may be repeated",
      collect(endpointArgument),
    )
    .action(async ({ config, listen, advertise = [] }: InitOption) => {
      const { init } = await import("./commands/init.ts");
      const where = config === usualFile(program) ? "" : ` -c ${config}`;
      await init(config, { listen, advertise }, `hawser-remote pair NAME${where}`);
    });
}

function addPeerCommands(program: Program): void {
  configOption(program.command("pair").description("admit a local gateway and print its pairing line"))
    .argument("<name>", "the name that the local gateway gets")
    .action(async (name: string, { config }: ConfigOption) =>
      (await import("./commands/pair.ts")).pair(config, name),
    );
  configOption(
    program.command("rotate").description("give a local gateway a new key and print its new pairing line"),
  )
    .argument("<name>", "its name")
    .addOption(
      durationOption(
        "--grace <time>",
        "how long the old key stays valid at most: 90s, 30m, 24h, 7d; 0s ends it at once",
        "24h",
      ),
    )
    .action(async (name: string, { config, grace }: ConfigOption & { grace: number }) =>
      (await import("./commands/pair.ts")).rotate(config, name, grace),
    );
  configOption(program.command("unpair").description("stop admitting a local gateway"))
    .argument("<name>", "its name")
    .action(async (name: string, { config }: ConfigOption) =>
      (await import("./commands/pair.ts")).unpair(config, name),
    );
  jsonOption(configOption(program.command("peers").description("list the admitted local gateways"))).action(
    async ({ config, json }: ConfigOption & { json?: boolean }) =>
      (await import("./commands/peers.ts")).peers(config, json),
  );
}
