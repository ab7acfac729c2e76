import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { FlowStatus, LocalStatusReport, RemoteStatusReport } from "@hawser/status-api/model";
import type { House } from "./house.ts";
import type { Host, Namespace } from "./namespace.ts";

export const SOCKS_PORT = 1080;
export const CAPTURE_PORT = 12345;

const LOCAL = fileURLToPath(new URL("../../packages/gateway-local/bin/hawser-local", import.meta.url));
const REMOTE = fileURLToPath(new URL("../../packages/gateway-remote/bin/hawser-remote", import.meta.url));
/** How long a test waits for a gateway to do something, milliseconds. */
const PATIENCE_MS = 15_000;

export interface HawserOptions {
  /** Dials the remote gateway at its IPv6 address. */
  readonly overIpv6?: boolean;
  /** More lines for local.toml. */
  readonly extra?: string;
  /** More keys of a line's [[path]], by the name of the line. */
  readonly paths?: Readonly<Record<string, string>>;
  /** Subflows of each line; default 1. */
  readonly subflows?: number;
  /** For NODE_OPTIONS, such as --cpu-prof. */
  readonly nodeOptions?: string;
  readonly logLevel?: string;
  /** `ulimit -n` of one gateway or of both. */
  readonly maxDescriptors?: { readonly local?: number; readonly remote?: number };
  /** The command that runs the gateways, such as setpriv(1) with its options. */
  readonly wrap?: readonly string[];
}

/** Both gateways in a house, set up as a user does it: init, pair, two configuration files, run. */
export class Hawser {
  readonly folder = mkdtempSync(join(tmpdir(), "hawser-lab-"));
  readonly house: House;
  readonly #options: HawserOptions;
  local!: Gateway;
  remote!: Gateway;

  private constructor(house: House, options: HawserOptions) {
    this.house = house;
    this.#options = options;
  }

  /** Starts both gateways. All lines are up when this resolves. */
  static async start(house: House, options: HawserOptions = {}): Promise<Hawser> {
    const hawser = new Hawser(house, options);
    await hawser.#configure();
    await hawser.startRemote();
    await hawser.startLocal();
    await hawser.whenPaths((states) => states.every((state) => state === "up" || state === "probation"));
    return hawser;
  }

  async #configure(): Promise<void> {
    const { v4, v6 } = this.house.addresses.remote;
    const endpoint = this.#options.overIpv6 ? `[${v6}]:4433` : `${v4}:4433`;
    const config = ["-c", this.file("remote.toml")];
    await this.house.remote.exec(REMOTE, [
      "init",
      ...config,
      "--listen",
      "[::]:4433",
      "--advertise",
      endpoint,
    ]);
    const { stdout } = await this.house.remote.exec(REMOTE, ["pair", "home", ...config]);
    this.write("pairing.txt", stdout);
    this.write("local.toml", this.#localConfig());
  }

  #localConfig(): string {
    const { lines, addresses } = this.house;
    const { subflows, paths } = this.#options;
    const more = (name: string): string =>
      [subflows === undefined ? "" : `\nsubflows = ${subflows}`, `\n${paths?.[name] ?? ""}`].join("");
    const bypass = lines.flatMap(({ number }) => Object.values(addresses.direct(number)));
    return [
      'remote = { file = "pairing.txt" }',
      ...lines.map(({ name }) => `[[path]]\nname = "${name}"\ninterface = "${name}"${more(name)}`),
      `[capture]\nlisten = ["0.0.0.0:${CAPTURE_PORT}", "[::]:${CAPTURE_PORT}"]\nfrom = ["lan0"]`,
      `bypass = ${JSON.stringify(bypass)}`,
      `[socks]\nlisten = "0.0.0.0:${SOCKS_PORT}"`,
      this.#options.extra ?? "",
    ].join("\n");
  }

  /** Writes a file that only its owner can read into the gateways' folder. */
  write(name: string, text: string): void {
    writeFileSync(this.file(name), text);
    chmodSync(this.file(name), 0o600);
  }

  file(name: string): string {
    return join(this.folder, name);
  }

  async startRemote(): Promise<void> {
    const { remote } = this.house;
    this.remote = await Gateway.start(
      remote,
      REMOTE,
      this.file("remote.toml"),
      this.file("remote.log"),
      8081,
      this.#options,
      this.#options.maxDescriptors?.remote,
    );
  }

  /** Starts the local gateway. Resolves when its redirect rules are in place. */
  async startLocal(): Promise<void> {
    const log = this.file("local.log");
    const starts = (): number => (existsSync(log) ? readFileSync(log, "utf8").split('"running"').length : 1);
    const before = starts();
    const { router } = this.house;
    this.local = await Gateway.start(
      router,
      LOCAL,
      this.file("local.toml"),
      log,
      8080,
      this.#options,
      this.#options.maxDescriptors?.local,
    );
    // The status server answers a moment before the rules are in place.
    await until(async () => starts() > before);
  }

  /** Runs a `hawser-local` command on the router. */
  runLocal(args: readonly string[]): Promise<{ stdout: string; stderr: string }> {
    return this.house.router.exec(LOCAL, [...args, "-c", this.file("local.toml")]);
  }

  async status(): Promise<LocalStatusReport> {
    return (await this.local.get("/api/status")) as LocalStatusReport;
  }

  async remoteStatus(): Promise<RemoteStatusReport> {
    return (await this.remote.get("/api/status")) as RemoteStatusReport;
  }

  async flows(): Promise<FlowStatus[]> {
    return (await this.local.get("/api/flows")) as FlowStatus[];
  }

  /** Waits until neither gateway has a flow. */
  async whenNoFlows(): Promise<void> {
    for (const gateway of [this.local, this.remote])
      await until(async () => ((await gateway.get("/api/flows")) as FlowStatus[]).length === 0);
  }

  /** Waits until the states of the local gateway's paths, in the order of the lines, satisfy `wanted`. */
  whenPaths(wanted: (states: readonly string[]) => boolean): Promise<void> {
    return until(async () => wanted((await this.status()).session.paths.map(({ state }) => state)));
  }

  /** Stops both gateways as systemd would. Returns their exit codes, local first. */
  async stop(): Promise<(number | null)[]> {
    const codes = [await this.local.stop(), await this.remote.stop()];
    this.removeFolder();
    return codes;
  }

  removeFolder(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** One running gateway. */
export class Gateway {
  readonly process: ChildProcess;
  readonly log: string;
  readonly #namespace: Namespace;
  readonly #port: number;

  private constructor(process: ChildProcess, namespace: Namespace, log: string, port: number) {
    this.process = process;
    this.#namespace = namespace;
    this.log = log;
    this.#port = port;
  }

  static async start(
    namespace: Namespace,
    program: string,
    config: string,
    log: string,
    statusPort: number,
    { nodeOptions, logLevel = "info", wrap = [] }: HawserOptions,
    maxDescriptors?: number,
  ): Promise<Gateway> {
    // The shell writes the log into a file: a pipe to this process would cost both sides a wake-up per line.
    const limit = maxDescriptors === undefined ? "" : `ulimit -n ${maxDescriptors}; `;
    const command = `${limit}exec "$0" "$@" 2>>'${log}'`;
    const args = ["-c", command, ...wrap, program, "run", "-c", config];
    const env = {
      ...process.env,
      HAWSER_LOG_LEVEL: logLevel,
      ...(nodeOptions && { NODE_OPTIONS: nodeOptions }),
    };
    const child = namespace.spawn("sh", args, { stdio: "ignore", env });
    const gateway = new Gateway(child, namespace, log, statusPort);
    await until(async () => {
      if (child.exitCode !== null)
        throw new Error(`the gateway ended with ${child.exitCode}:\n${gateway.logText()}`);
      return gateway.isAnswering();
    });
    return gateway;
  }

  logText(): string {
    return readFileSync(this.log, "utf8");
  }

  /** Sends a GET to the gateway's status server, from within its namespace. */
  async get(path: string): Promise<unknown> {
    const { stdout } = await this.curl(path);
    return JSON.parse(stdout);
  }

  curl(path: string, args: readonly string[] = []): Promise<{ stdout: string }> {
    return this.#namespace.exec("curl", [
      "-sS",
      "--max-time",
      "5",
      ...args,
      `http://127.0.0.1:${this.#port}${path}`,
    ]);
  }

  /** The status code of an answer, and its text. */
  async answer(path: string, args: readonly string[] = []): Promise<readonly [status: number, text: string]> {
    const { stdout } = await this.curl(path, ["-w", "\n%{http_code}", ...args]);
    const end = stdout.lastIndexOf("\n");
    return [Number(stdout.slice(end + 1)), stdout.slice(0, end)];
  }

  async isAnswering(): Promise<boolean> {
    return this.curl("/api/status").then(
      () => true,
      () => false,
    );
  }

  /** Seconds of CPU used so far, user and system. */
  cpuSeconds(): number {
    const fields = readFileSync(`/proc/${this.process.pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
    return (Number(fields[11]) + Number(fields[12])) / 100;
  }

  /**
   * How often the event loop has gone to sleep so far, which is how often it was woken. Only the main thread counts:
   * the threads of the compiler and the collector have work for minutes after the start.
   */
  wakeUps(): number {
    const { pid } = this.process;
    const status = readFileSync(`/proc/${pid}/task/${pid}/status`, "latin1");
    return Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(status)?.[1]);
  }

  /** The gateway's resident memory, bytes. */
  residentBytes(): number {
    return residentBytes(this.process);
  }

  /** Sends SIGTERM; resolves with the exit code. */
  async stop(): Promise<number | null> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return this.process.exitCode;
    const exited = once(this.process, "exit");
    this.process.kill("SIGTERM");
    await exited;
    return this.process.exitCode;
  }
}

/** The resident memory of a process, bytes (VmRSS of proc_pid_status(5)). */
export function residentBytes({ pid }: Pick<ChildProcess, "pid">): number {
  const status = readFileSync(`/proc/${pid}/status`, "latin1");
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1_024;
}

/** Asks every 50 ms until `isSo` resolves with true. @throws Error after PATIENCE_MS */
export async function until(isSo: () => Promise<boolean>, patienceMs = PATIENCE_MS): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`not within ${patienceMs} ms`);
    await sleep(50);
  }
}

export type { Host };
