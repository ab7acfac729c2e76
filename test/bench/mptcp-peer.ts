/**
 * The peer: redsocks on the router, dante on the remote, both under `mptcpize run`, as a user sets them up by their
 * manuals. The kernel joins one subflow from each line's address; the initial one goes over the first line.
 */
import { type ChildProcess, execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { until } from "../lab/hawser.ts";
import type { House } from "../lab/house.ts";
import type { Namespace } from "../lab/namespace.ts";
import type { System } from "./system.ts";

const REDSOCKS_PORT = 12346;
const DANTE_PORT = 1081;
const TERM_MS = 3_000;
/** How long a line that is back may take to be used by new connections. */
const RETURN_MS = 2_000;

/** What the peer consists of that this machine lacks, in words; or undefined. */
export function peerMissing(): string | undefined {
  for (const tool of ["redsocks", "danted", "mptcpize"]) {
    try {
      execFileSync("sh", ["-c", `command -v ${tool}`], { stdio: "ignore" });
    } catch {
      return `the command ${tool} is missing`;
    }
  }
  try {
    execFileSync("ip", ["mptcp", "limits", "show"], { stdio: "ignore" });
    return undefined;
  } catch {
    return "the kernel has no MPTCP";
  }
}

export class MptcpPeer implements System {
  readonly name = "mptcp";
  readonly #house: House;
  readonly #folder = mkdtempSync(join(tmpdir(), "hawser-bench-"));
  #processes: ChildProcess[] = [];

  private constructor(house: House) {
    this.#house = house;
  }

  static async start(house: House): Promise<MptcpPeer> {
    const peer = new MptcpPeer(house);
    const { router, remote } = house;
    await router.ip(endpointCommands(house));
    await remote.ip(["mptcp limits set subflows 8 add_addr_accepted 8"]);
    await peer.#run(
      remote,
      ["danted", "-f"],
      "danted.conf",
      danteConfig(house, join(peer.#folder, "dante.log")),
    );
    await peer.#run(router, ["redsocks", "-c"], "redsocks.conf", redsocksConfig(house));
    await until(async () => (await listens(remote, DANTE_PORT)) && (await listens(router, REDSOCKS_PORT)));
    await router.exec("iptables", redirect(house, "-A"));
    return peer;
  }

  async #run(namespace: Namespace, command: readonly string[], name: string, config: string): Promise<void> {
    const file = join(this.#folder, name);
    writeFileSync(file, config);
    const child = namespace.spawn("mptcpize", ["run", ...command, file], { stdio: "ignore" });
    await once(child, "spawn");
    this.#processes.push(child);
  }

  whenReady(): Promise<void> {
    return sleep(RETURN_MS);
  }

  sent(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  async stop(): Promise<void> {
    await this.#house.router.exec("iptables", redirect(this.#house, "-D"));
    await Promise.all(this.#processes.map(end));
    await this.#house.router.ip(["mptcp endpoint flush"]);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function endpointCommands(house: House): string[] {
  return [
    "mptcp limits set subflows 8 add_addr_accepted 8",
    ...house.lines.map(
      ({ name, number }) =>
        `mptcp endpoint add ${house.addresses.lineEnds(number).router.v4} dev ${name} subflow`,
    ),
  ];
}

/** What goes to the origin, but not what goes to an address of a line alone. */
function redirect(house: House, how: "-A" | "-D"): string[] {
  const match = ["-i", "lan0", "-p", "tcp", "-d", house.addresses.origin.v4];
  return ["-t", "nat", how, "PREROUTING", ...match, "-j", "REDIRECT", "--to-ports", String(REDSOCKS_PORT)];
}

function danteConfig(house: House, log: string): string {
  return `logoutput: ${log}
internal: ${house.addresses.remote.v4} port = ${DANTE_PORT}
external: wan0
clientmethod: none
socksmethod: none
user.privileged: root
user.unprivileged: nobody
client pass { from: 0.0.0.0/0 to: 0.0.0.0/0 }
socks pass { from: 0.0.0.0/0 to: 0.0.0.0/0 }
`;
}

function redsocksConfig(house: House): string {
  return `base { log_debug = off; log_info = off; log = "stderr"; daemon = off; redirector = iptables; }
redsocks {
  local_ip = 0.0.0.0; local_port = ${REDSOCKS_PORT};
  ip = ${house.addresses.remote.v4}; port = ${DANTE_PORT};
  type = socks5;
}
`;
}

async function listens(namespace: Namespace, port: number): Promise<boolean> {
  const { stdout } = await namespace.exec("cat", ["/proc/net/tcp"]);
  return stdout.includes(`:${port.toString(16).toUpperCase().padStart(4, "0")} 00000000:0000 0A`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), TERM_MS);
  await exited;
  clearTimeout(timer);
}
