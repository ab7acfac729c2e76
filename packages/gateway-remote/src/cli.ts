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
  usualFile,
  writeJson,
} from "@hawser/command-line";
import { readVersion } from "@hawser/gateway-kit/config";
import type { Endpoint } from "@hawser/shared-protocol";
import { GatewayApi, statusReportSchema } from "@hawser/status-api/client";
import type { RemoteStatusReport } from "@hawser/status-api/model";
import { findRemoteStatus, loadRemoteConfig } from "./config.ts";
import { renderPeers, withPresence } from "./peer-list.ts";
import { addPeer, initConfig, listPeers, type PairingLine, removePeer, rotateKey } from "./peers.ts";
import { unresolvedNames } from "./reach.ts";
import { run } from "./run.ts";

type Program = ReturnType<typeof createProgram>;

interface ConfigOption {
  readonly config: string;
}

interface InitOption extends ConfigOption {
  readonly listen: Endpoint;
  readonly advertise?: readonly Endpoint[];
}

/** The `hawser-remote` command. */
export async function main(argv: readonly string[]): Promise<void> {
  process.exit(await runCli(remoteProgram(), argv));
}

/** Its declarations: of what it does, its help, its man page and its completion. */
export function remoteProgram(): Program {
  const program = createProgram(
    "hawser-remote",
    readVersion(import.meta.url),
    "the far end: dials what the local gateways carry",
  );
  addInitCommand(program);
  addPeerCommands(program);
  configOption(program.command("run").description("run the gateway in the foreground")).action(
    ({ config }: ConfigOption) => run(config),
  );
  addCheckCommand(program, loadRemoteConfig);
  addViewCommands(program, findRemoteStatus);
  addCompletionCommand(program);
  return program;
}

function addInitCommand(program: Program): void {
  configOption(program.command("init").description("write a configuration and a fresh identity"))
    .requiredOption("--listen <host:port>", "where local gateways connect to", listenArgument)
    .option(
      "--advertise <host:port>",
      "where they reach it, if elsewhere; may be repeated",
      collect(endpointArgument),
    )
    .action(async ({ config, listen, advertise = [] }: InitOption) => {
      const note = initConfig(config, { listen, advertise });
      for (const warning of await unresolvedNames(advertise)) process.stderr.write(`${warning}\n`);
      process.stdout.write(`${config}: written\n${note === undefined ? "" : `${config}: ${note}\n`}`);
      process.stdout.write(`next: hawser-remote pair NAME${optionFor(config)}\n`);
    });
}

/** What a command needs to find this file. */
function optionFor(file: string): string {
  return file === usualFile(remoteProgram()) ? "" : ` -c ${file}`;
}

function addPeerCommands(program: Program): void {
  configOption(program.command("pair").description("admit a local gateway and print its pairing line"))
    .argument("<name>", "what the local gateway is called here")
    .action((name: string, { config }: ConfigOption) => {
      tellPairing(config, addPeer(config, name));
    });
  configOption(
    program.command("rotate").description("give a local gateway a new key and print its new pairing line"),
  )
    .argument("<name>", "its name")
    .addOption(
      durationOption(
        "--grace <time>",
        "how long the old key is good at most: 90s, 30m, 24h, 7d; 0s: no longer",
        "24h",
      ),
    )
    .action((name: string, { config, grace }: ConfigOption & { grace: number }) => {
      tellPairing(config, rotateKey(config, name, grace));
    });
  configOption(program.command("unpair").description("admit a local gateway no longer"))
    .argument("<name>", "its name")
    .action((name: string, { config }: ConfigOption) => removePeer(config, name));
  jsonOption(configOption(program.command("peers").description("list the admitted local gateways"))).action(
    async ({ config, json }: ConfigOption & { json?: boolean }) => {
      const report = await askReport(config);
      if (!report) process.stderr.write("no gateway runs: nobody is connected\n");
      const peers = withPresence(listPeers(config), report);
      if (json) return writeJson(peers);
      process.stdout.write(renderPeers(peers));
    },
  );
}

/** What the running gateway says; undefined when none answers. */
async function askReport(config: string): Promise<RemoteStatusReport | undefined> {
  try {
    const report = statusReportSchema.parse(
      await new GatewayApi(findRemoteStatus(config)).ask("/api/status"),
    );
    return report.role === "remote" ? report : undefined;
  } catch {
    return undefined;
  }
}

/** The line alone on stdout: it may be on its way into a file. */
function tellPairing(file: string, { line, note }: PairingLine): void {
  process.stdout.write(`${line}\n`);
  if (note !== undefined) process.stderr.write(`${file}: ${note}\n`);
}
