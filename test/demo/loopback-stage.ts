/** The demo without namespaces: everything on this machine's loopback, the client speaks SOCKS5 to hawser-local. */
import type { ChildProcess } from "node:child_process";
import { openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { until } from "../lab/hawser.ts";
import { startOrigin } from "../lab/traffic/run.ts";
import { drawPlaces } from "./drawing.ts";
import { freePort } from "./forwarder.ts";
import { Processes } from "./processes.ts";
import type { ShaperConfig } from "./shaper.ts";
import { LINES, type Stage } from "./stage.ts";
import { isAnswering } from "./status.ts";

const LOOPBACK = "127.0.0.1";
/** All of 127/8 is this machine. Two addresses stand for the remote: before the lines and behind them. */
const REMOTE_BEFORE = "127.0.0.2";
const REMOTE_BEHIND = "127.0.0.3";
const SOURCES = ["127.0.0.11", "127.0.0.12"] as const;

/** Ports, all found free a moment ago. */
interface Ports {
  readonly socks: number;
  readonly localStatus: number;
  readonly remoteStatus: number;
  readonly remote: number;
}

/** @param folder for the files of the run; whoever gave it removes it */
export async function buildLoopback(folder: string): Promise<Stage> {
  const processes = new Processes();
  const origin = await startOrigin(processes, { ports: [0], listen: LOOPBACK });
  const ports = await choosePorts();
  const shaper = await startShaper(processes, ports.remote, origin.port);
  const [door, ...plain] = shaper.doors;
  const gateways = new Gateways(processes, folder, ports);
  await gateways.start(`${REMOTE_BEFORE}:${door}`, `${LOOPBACK}:${origin.port}`);
  return {
    drawing: drawPlaces({
      client: [LOOPBACK, "speaks SOCKS5"],
      router: LOOPBACK,
      ends: SOURCES,
      remote: REMOTE_BEFORE,
      origin: [LOOPBACK, ""],
    }),
    client: processes,
    through: { host: LOOPBACK, port: origin.port, socks: { host: LOOPBACK, port: ports.socks } },
    plain: plain.map((port) => ({ host: LOOPBACK, port })),
    carried: () => shaper.carried(),
    dashboards: {
      local: `http://${LOOPBACK}:${ports.localStatus}`,
      remote: `http://${LOOPBACK}:${ports.remoteStatus}`,
    },
    close: async () => {
      await gateways.stop();
      await processes.stopAll();
    },
  };
}

async function choosePorts(): Promise<Ports> {
  const localStatus = await freePort(8080);
  const [socks, remote] = await Promise.all([freePort(), freePort(0, REMOTE_BEHIND)]);
  return { socks, remote, localStatus, remoteStatus: await freePort(localStatus + 1) };
}

interface RunningShaper {
  /** The ports of the lines' doors: to the remote by source, then to the origin over each line. */
  readonly doors: readonly number[];
  /** What each line has brought into the house so far, bytes of IP. */
  carried(): Promise<readonly number[]>;
}

async function startShaper(
  processes: Processes,
  remotePort: number,
  originPort: number,
): Promise<RunningShaper> {
  const origin = { host: LOOPBACK, port: originPort };
  const config: ShaperConfig = {
    lines: LINES.map((line, index) => ({ ...line, source: SOURCES[index] ?? "" })),
    doors: [
      { host: REMOTE_BEFORE, target: { host: REMOTE_BEHIND, port: remotePort } },
      ...LINES.map((_, line) => ({ host: LOOPBACK, target: origin, line })),
    ],
  };
  const program = fileURLToPath(new URL("./shaper.ts", import.meta.url));
  const child = processes.spawn(process.execPath, [program, JSON.stringify(config)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  if (child.stdout === null) throw new Error("the shaper has no stdout");
  const answers = createInterface(child.stdout)[Symbol.asyncIterator]();
  const next = async (): Promise<unknown> => {
    const { value, done } = await answers.next();
    if (done === true) throw new Error("the shaper has ended");
    return JSON.parse(value);
  };
  const { ports } = (await next()) as { ports: number[] };
  // Writing to a process that has ended fails here; that it gives no answer is told there.
  child.stdin?.on("error", () => {});
  return {
    doors: ports,
    carried: async () => {
      child.stdin?.write("\n");
      return (await next()) as number[];
    },
  };
}

/** Both gateways, set up as a user would: init, pair, two configuration files, run. */
class Gateways {
  readonly #processes: Processes;
  readonly #folder: string;
  readonly #ports: Ports;
  readonly #running: ChildProcess[] = [];

  constructor(processes: Processes, folder: string, ports: Ports) {
    this.#processes = processes;
    this.#folder = folder;
    this.#ports = ports;
  }

  /**
   * Both run and have found each other when this resolves.
   * @param endpoint where the local one dials the remote
   * @param origin where the remote may go: on this machine's own loopback, which is denied by default
   */
  async start(endpoint: string, origin: string): Promise<void> {
    const { localStatus, remoteStatus } = this.#ports;
    await this.#configure(endpoint, origin);
    await this.#run("hawser-remote", "remote", remoteStatus);
    await this.#run("hawser-local", "local", localStatus);
  }

  async #configure(endpoint: string, origin: string): Promise<void> {
    const { remote, remoteStatus, socks, localStatus } = this.#ports;
    const config = this.#file("remote.toml");
    const command = (...args: string[]): Promise<string> =>
      this.#processes.output([programOf("hawser-remote"), ...args, "-c", config]);
    await command("init", "--listen", `${REMOTE_BEHIND}:${remote}`, "--advertise", endpoint);
    const written = readFileSync(config, "utf8");
    const rules = `[egress]\nallow = ["${origin}"]\n`;
    writeFileSync(config, written.replace("127.0.0.1:8081", `${LOOPBACK}:${remoteStatus}`) + rules);
    const pairing = await command("pair", "home");
    const paths = LINES.map(({ name }, i) => `[[path]]\nname = "${name}"\nsource = "${SOURCES[i]}"`);
    this.#write("pairing.txt", pairing);
    this.#write(
      "local.toml",
      [
        'remote = { file = "pairing.txt" }',
        ...paths,
        `[socks]\nlisten = "${LOOPBACK}:${socks}"`,
        `[status]\nlisten = "${LOOPBACK}:${localStatus}"`,
      ].join("\n"),
    );
  }

  async #run(program: string, name: string, statusPort: number): Promise<void> {
    const log = this.#file(`${name}.log`);
    const args = [programOf(program), "run", "-c", this.#file(`${name}.toml`)];
    // As in the programs' own #! line.
    const child = this.#processes.spawn(
      process.execPath,
      ["--max-semi-space-size=1", "--heap-growing-percent=100", ...args],
      {
        stdio: ["ignore", "ignore", openSync(log, "a")],
      },
    );
    this.#running.push(child);
    await until(async () => {
      if (child.exitCode !== null) throw new Error(`${program} ended:\n${readFileSync(log, "utf8")}`);
      return isAnswering(`http://${LOOPBACK}:${statusPort}`);
    });
  }

  /** The local one first: it says farewell to the remote. */
  async stop(): Promise<void> {
    for (const child of this.#running.toReversed()) await this.#processes.stop(child);
  }

  #write(name: string, text: string): void {
    writeFileSync(this.#file(name), text, { mode: 0o600 });
  }

  #file(name: string): string {
    return join(this.#folder, name);
  }
}

function programOf(name: string): string {
  const folder = name.replace("hawser-", "gateway-");
  return fileURLToPath(new URL(`../../packages/${folder}/bin/${name}.mjs`, import.meta.url));
}
