import { direct, LAN, lineEnds, ORIGIN, REMOTE_PUBLIC } from "./addresses.ts";
import { forgetAtExit, removeAtExit } from "./cleanup.ts";
import { Emulator } from "./emulator/client.ts";
import { checked, DEFAULT_SETTINGS } from "./emulator/line-model.ts";
import { type CountersReply, toWire, type WireSettings } from "./emulator/protocol.ts";
import { directionSettings, Line, type LineOptions, type ShapedLineOptions } from "./line.ts";
import { listNamespaces, Namespace, removeNamespaces, run } from "./namespace.ts";
import {
  lanCommands,
  originCommands,
  type Plan,
  providerCommands,
  remoteCommands,
  routerCommands,
  SYSCTLS,
  UPLINK,
} from "./plan.ts";
import { Provider } from "./provider.ts";
import { isLeftover, newRunId } from "./run-id.ts";

export interface HouseOptions {
  lines: readonly LineOptions[];
  /** Congestion control of every connection in the house; none: the machine's default. */
  congestion?: "bbr" | "cubic" | "reno";
  /** Seed of the random losses. */
  seed?: number;
  /** Route packets from a line's own address over that line (default true); a bound device needs no such rule. */
  sourceRules?: boolean;
}

/** Device names that the house itself uses. */
const RESERVED = new Set(["lo", "lan0", "wan0", "eth0", UPLINK]);
/** A valid device name in Linux, of characters that need no quoting. */
const DEVICE = /^[A-Za-z0-9_.-]{1,15}$/;
/** The names of the namespaces. */
const PLACES = new Set(["lan", "router", "remote", "origin"]);
/** The most lines: the addresses of a network of documentation, 16 for each line. */
const MAX_LINES = 15;

/**
 * A house in network namespaces of its own: LAN client, router with several lines, remote, origin (see plan.ts for the
 * drawing, addresses.ts for the addresses).
 */
export class House {
  readonly lan: Namespace;
  readonly router: Namespace;
  readonly remote: Namespace;
  readonly origin: Namespace;
  readonly addresses = { lan: LAN, remote: REMOTE_PUBLIC, origin: ORIGIN, direct, lineEnds } as const;
  readonly lines: Line[] = [];
  readonly #providers = new Map<string, Provider>();
  readonly #plan: Plan;
  #emulator: Emulator | undefined;
  #closed: Promise<void> | undefined;

  private constructor(options: HouseOptions) {
    const providers = options.lines.flatMap(({ provider }, index) =>
      provider === undefined ? [] : [[index + 1, provider] as const],
    );
    checkNames(options.lines.map(({ name }) => name));
    checkProviders(providers.map(([, provider]) => provider));
    this.#plan = {
      lines: options.lines.map((line) => line.name),
      congestion: options.congestion,
      sourceRules: options.sourceRules ?? true,
      providers: new Map(providers),
    };
    const id = newRunId();
    this.lan = new Namespace(`${id}-lan`);
    this.router = new Namespace(`${id}-router`);
    this.remote = new Namespace(`${id}-remote`);
    this.origin = new Namespace(`${id}-origin`);
    for (const name of new Set(this.#plan.providers.values())) {
      const numbers = providers.filter(([, each]) => each === name).map(([number]) => number);
      this.#providers.set(name, new Provider(new Namespace(`${id}-${name}`), this.#plan, numbers));
    }
  }

  /** Builds a house. All of it is usable when this resolves. Also removes what killed runs have left. */
  static async create(options: HouseOptions): Promise<House> {
    sweep();
    const house = new House(options);
    try {
      await house.#build(options);
    } catch (error) {
      await house.close();
      throw error;
    }
    return house;
  }

  get namespaces(): Namespace[] {
    const providers = [...this.#providers.values()].map(({ namespace }) => namespace);
    return [this.lan, this.router, this.remote, this.origin, ...providers];
  }

  /** The process that carries the shaped lines; undefined without shaped lines. */
  get emulatorPid(): number | undefined {
    return this.#emulator?.process.pid;
  }

  /** The line of that name. */
  line(name: string): Line {
    const line = this.lines.find((candidate) => candidate.name === name);
    if (line === undefined) throw new Error(`the house has no line ${name}`);
    return line;
  }

  /** The provider of that name. */
  provider(name: string): Provider {
    const provider = this.#providers.get(name);
    if (provider === undefined) throw new Error(`the house has no provider ${name}`);
    return provider;
  }

  /** The counters of all lines, and what the emulator itself has used. */
  async emulatorCounters(): Promise<CountersReply> {
    if (this.#emulator === undefined) throw new Error("no line of this house is emulated");
    return this.#emulator.counters();
  }

  async #build(options: HouseOptions): Promise<void> {
    const [lan, router, remote, origin] = this.namespaces.map(({ name }) => name);
    removeAtExit(this);
    await batch(this.namespaces.map(({ name }) => `netns add ${name}`));
    await Promise.all(this.namespaces.map(setKernelParameters));
    await batch([
      `link add lan0 netns ${router} type veth peer name eth0 netns ${lan}`,
      `link add wan0 netns ${remote} type veth peer name eth0 netns ${origin}`,
      ...options.lines.flatMap(({ kind, name, provider }) =>
        kind === "veth"
          ? [
              `link add ${name} netns ${router} type veth peer name ${name} netns ${this.#farEnd(provider).name}`,
            ]
          : [],
      ),
      ...[...this.#providers].map(
        ([name, { namespace }]) =>
          `link add ${UPLINK} netns ${namespace.name} type veth peer name ${name} netns ${remote}`,
      ),
    ]);
    await this.#startEmulator(options);
    await Promise.all([
      this.lan.ip(lanCommands(this.#plan)),
      this.router.ip(routerCommands(this.#plan)),
      this.remote.ip(remoteCommands(this.#plan)),
      this.origin.ip(originCommands(this.#plan)),
      ...[...this.#providers].map(([name, { namespace }]) =>
        namespace.ip(providerCommands(this.#plan, name)),
      ),
    ]);
    await Promise.all([...this.#providers.values()].map((provider) => provider.start()));
  }

  /** The far end of a provider's lines, or of the lines without a provider. */
  #farEnd(provider: string | undefined): Namespace {
    return provider === undefined ? this.remote : this.provider(provider).namespace;
  }

  async #startEmulator(options: HouseOptions): Promise<void> {
    const shaped = options.lines.flatMap((line) => (line.kind === "veth" ? [] : [line]));
    if (shaped.length > 0) {
      const lines = shaped.map((line) => ({
        name: line.name,
        routerNamespace: this.router.name,
        remoteNamespace: this.#farEnd(line.provider).name,
        ...startSettings(line),
      }));
      this.#emulator = await Emulator.start({ lines, seed: options.seed ?? 1 }, (child) =>
        this.router.track(child),
      );
      // Bursts must reach the line's own queue, which takes or drops them, and counts them.
      await Promise.all(
        shaped.flatMap(({ name, provider }) => {
          const command = `link set ${name} txqueuelen 4000 multicast off addrgenmode none`;
          return [this.router, this.#farEnd(provider)].map((end) => end.ip([command]));
        }),
      );
    }
    for (const [index, line] of options.lines.entries()) {
      const carrier = line.kind === "veth" ? undefined : this.#emulator;
      this.lines.push(new Line(this.#plan, index + 1, this.router, carrier));
    }
  }

  /** Kills what runs in the house and removes it. */
  close(): Promise<void> {
    this.#closed ??= this.#remove();
    return this.#closed;
  }

  async #remove(): Promise<void> {
    for (const namespace of this.namespaces) namespace.killAll();
    await Promise.all(this.namespaces.map((namespace) => namespace.ended()));
    removeNamespaces(this.namespaces.map(({ name }) => name));
    forgetAtExit(this);
  }

  /** As `close`, without waiting: for the end of the process. */
  closeNow(): void {
    for (const namespace of this.namespaces) namespace.killAll();
    removeNamespaces(this.namespaces.map(({ name }) => name));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** Removes the namespaces of houses whose process was killed without a chance to clean up. */
export function sweep(): void {
  removeNamespaces(listNamespaces().filter(isLeftover));
}

function checkNames(names: readonly string[]): void {
  if (names.length === 0 || names.length > MAX_LINES)
    throw new RangeError(`a house has 1 to ${MAX_LINES} lines`);
  if (new Set(names).size !== names.length) throw new RangeError("two lines of the same name");
  const wrong = names.find((name) => !DEVICE.test(name) || RESERVED.has(name));
  if (wrong !== undefined) throw new RangeError(`${wrong} cannot be the name of a line's device`);
}

function checkProviders(names: readonly string[]): void {
  // A provider's name is as long as a device's name at most, since the remote's end of the uplink has it.
  const wrong = names.find((name) => !DEVICE.test(name) || RESERVED.has(name) || PLACES.has(name));
  if (wrong !== undefined) throw new RangeError(`${wrong} cannot be the name of a provider`);
}

function startSettings(line: ShapedLineOptions): { down: WireSettings; up: WireSettings } {
  // A queue that is given in bytes alone must not be limited by the default time as well.
  const change = line.queueBytes === undefined ? line : { queueMs: Infinity, ...line };
  const settings = (direction: "down" | "up"): WireSettings =>
    // Checked here, too: a complaint of the emulator would only show as a dead process.
    toWire(checked({ ...DEFAULT_SETTINGS, ...directionSettings(change, direction) }));
  return { down: settings("down"), up: settings("up") };
}

async function batch(commands: readonly string[]): Promise<void> {
  await run("ip", ["-batch", "-"], commands.join("\n"));
}

async function setKernelParameters(namespace: Namespace): Promise<void> {
  // /proc/sys/net shows the settings of the namespace of the process that opens it.
  const script = SYSCTLS.map((setting) => setting.replace(/^(.*)=(.*)$/, "echo $2 > /proc/sys/$1")).join(
    "\n",
  );
  await namespace.exec("sh", ["-e"], { input: script });
}
