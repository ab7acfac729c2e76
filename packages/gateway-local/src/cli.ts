import { closeSync } from "node:fs";
import type { Socket } from "node:net";
import { pipeline } from "node:stream/promises";
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
  untilWritten,
  usualFile,
  writeJson,
} from "@hawser/command-line";
import { CodedError, ErrorCode, ExitCode, readVersion, systemCode } from "@hawser/gateway-kit/config";
import { deriveConnectToken, formatEndpoint } from "@hawser/shared-protocol";
import { dialConnect, GatewayApi, statusReportSchema } from "@hawser/status-api/client";
import {
  applyRules,
  clearRules,
  FAMILIES,
  type RuleSet,
  renderRestore,
  systemRunner,
} from "iptables-wrapper";
import { areSetsThere, clearSets } from "./capture/failed-destinations.ts";
import { ownPrefixesNow } from "./capture/route-follower.ts";
import { EVERY_WAY_OUT, RULES_OWNER, redirectRules } from "./capture/rules.ts";
import { findLocalStatus, loadLocalConfig } from "./config.ts";
import { runDoctor } from "./doctor/doctor.ts";
import { type Finding, renderFinding, renderSummary } from "./doctor/findings.ts";
import { gatherGateway } from "./doctor/gather-gateway.ts";
import { RemoteAddresses } from "./remote-addresses.ts";
import { run } from "./run.ts";

type Program = ReturnType<typeof createProgram>;

interface ConfigOption {
  readonly config: string;
}

interface JsonOption extends ConfigOption {
  readonly json?: boolean;
}

/** The `hawser-local` command. */
export async function main(argv: readonly string[]): Promise<void> {
  // Sockets that outlive the command (a cut one's keep-alive, a resolver's) must not keep the process.
  process.exit(await runCli(localProgram(), argv));
}

/** Its declarations: of what it does, its help, its man page and its completion. */
export function localProgram(): Program {
  const program = createProgram(
    "hawser-local",
    readVersion(import.meta.url),
    "carries a LAN's TCP over several lines at once",
  );
  configOption(program.command("run").description("run the gateway in the foreground")).action(
    ({ config }: ConfigOption) => run(config),
  );
  addCheckCommand(program, loadLocalConfig);
  addViewCommands(program, findLocalStatus);
  addControlCommands(program, findLocalStatus);
  addRulesCommand(program);
  addDoctorCommand(program);
  addConnectCommand(program);
  addCompletionCommand(program, (file) => loadLocalConfig(file).paths.map(({ name }) => name));
  return program;
}

function addRulesCommand(program: Program): void {
  const rules = program.command("rules").description("the redirect rules: show, apply or clear them");
  jsonOption(configOption(rules.command("show").description("print them as iptables-restore text"))).action(
    async ({ config, json }: JsonOption) => {
      const wanted = await rulesOf(config);
      const texts = FAMILIES.map((family) => ({ family, text: renderRestore(wanted, family) })).filter(
        ({ text }) => text !== "",
      );
      if (json) return writeJson(texts);
      for (const { family, text } of texts) {
        const tool = family === "ipv4" ? "iptables" : "ip6tables";
        process.stdout.write(`# ${tool}-restore --noflush\n${text}`);
      }
    },
  );
  configOption(rules.command("apply").description("install them, in place of what is there of them")).action(
    async ({ config }: ConfigOption) => {
      for (const { family, result } of await applyRules(systemRunner(), await rulesOf(config))) {
        process.stdout.write(`${family}: ${result}\n`);
      }
    },
  );
  rules
    .command("clear")
    .description("remove them, whoever installed them; whatever is wrong with the configuration")
    .option("-c, --config <file>", "only for where a running gateway answers; it may be broken or missing")
    .action(async ({ config }: Partial<ConfigOption>) => {
      for (const { family, result } of await clearRules(systemRunner(), RULES_OWNER)) {
        process.stdout.write(`${family}: ${result}\n`);
      }
      await clearSets();
      if (await keepsRules(config ?? usualFile(program)))
        process.stderr.write(
          "the running gateway puts them back within seconds; to keep them away: systemctl stop hawser-local\n",
        );
    });
}

/** Whether a gateway runs that restores its rules; looked for where the file says, whatever is wrong with it. */
async function keepsRules(file: string): Promise<boolean> {
  try {
    const status = findLocalStatus(file, () => {});
    const report = statusReportSchema.parse(await new GatewayApi(status).ask("/api/status"));
    return report.role === "local" && report.rules !== undefined;
  } catch {
    return false;
  }
}

async function rulesOf(file: string): Promise<RuleSet> {
  const { capture, paths, remote, status } = loadLocalConfig(file);
  if (!capture) return { owner: RULES_OWNER };
  const addresses = new RemoteAddresses();
  await addresses.learn(remote.endpoints);
  const hasSets = await areSetsThere();
  // What a gateway that runs has found out holds for these rules, too.
  const gateway = await gatherGateway(status);
  const wayOut = (gateway.state === "runs" && gateway.report.session.egress) || EVERY_WAY_OUT;
  const left = [...addresses.all, ...(await ownPrefixesNow(paths))];
  return redirectRules({ capture, left, wayOut, hasSets });
}

function addDoctorCommand(program: Program): void {
  jsonOption(
    configOption(program.command("doctor").description("check lines, routing, remote, rules, IPv6 and DNS")),
  ).action(async ({ config, json }: JsonOption) => {
    const findings: Finding[] = [];
    await runDoctor(loadLocalConfig(config), (finding) => {
      findings.push(finding);
      if (!json) process.stdout.write(`${renderFinding(finding)}\n`);
    });
    if (json) writeJson(findings);
    else process.stdout.write(`${renderSummary(findings)}\n`);
    if (findings.some(({ level }) => level === "bad")) process.exitCode = ExitCode.failed;
  });
}

function addConnectCommand(program: Program): void {
  configOption(
    program.command("connect").description("join stdin and stdout to HOST:PORT through the session"),
  )
    .argument("<host>", "name (resolved at the remote) or address", hostArgument)
    .argument("<port>", "TCP port", portArgument)
    .action(async (host: string, port: number, { config }: ConfigOption) => {
      const { remote, status } = loadLocalConfig(config);
      const target = { host, port };
      const socket = await dialConnect(status.listen, deriveConnectToken(remote.psk), target);
      try {
        await joinStdio(socket);
      } catch (error) {
        const why =
          systemCode(error) === "ECONNRESET" ? "the connection was reset" : (error as Error).message;
        throw new CodedError(ErrorCode.connectLost, `${formatEndpoint(target)}: ${why}`, { cause: error });
      }
    });
}

/**
 * Each direction ends on its own: the end of stdin is a half-close, and the far end's closes stdout while stdin goes on.
 * Somebody at a terminal is not kept waiting for that.
 */
async function joinStdio(socket: Socket): Promise<void> {
  const upwards = pipeline(process.stdin, socket);
  const downwards = pipeline(socket, process.stdout, { end: false }).then(async () => {
    if (process.stdin.isTTY) return process.stdin.destroy();
    await untilWritten();
    // Node does not close stdout by itself; whoever reads it (ssh) waits for that.
    closeSync(1);
  });
  await Promise.all([process.stdin.isTTY ? upwards.catch(() => undefined) : upwards, downwards]);
}
