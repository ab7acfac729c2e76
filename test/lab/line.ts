import type { Emulator } from "./emulator/client.ts";
import type { DirectionCounters, DirectionSettings } from "./emulator/line-model.ts";
import { toWire } from "./emulator/protocol.ts";
import type { Namespace } from "./namespace.ts";
import { type Plan, routerLineCommands } from "./plan.ts";

/** A line with a rate, delay, queue and loss of its own. `down` is towards the LAN. */
export interface ShapedLineOptions {
  /** Also the device's name. */
  name: string;
  kind?: "shaped";
  /** Bit/s counting IP bytes; none: no limit. */
  down?: number;
  up?: number;
  /** One way, ms, the same in both directions. */
  delayMs?: number;
  /** The longest wait in the queue, ms. */
  queueMs?: number;
  /** Or the queue in bytes, which is then what limits it. */
  queueBytes?: number;
  /** Share of packets, 0 .. 1. */
  loss?: number;
}

/** A plain cable, as fast as the machine. */
export interface PlainLineOptions {
  name: string;
  kind: "veth";
}

export type LineOptions = ShapedLineOptions | PlainLineOptions;

export interface LineChange {
  down?: number;
  up?: number;
  delayMs?: number;
  queueMs?: number;
  queueBytes?: number;
  loss?: number;
  /** Swallow everything silently, in both directions or in one. */
  blackhole?: boolean | { down?: boolean; up?: boolean };
}

export interface LineTraffic {
  down: DirectionCounters;
  up: DirectionCounters;
}

/** The settings of both directions that a change asks for. */
export function directionSettings(change: LineChange): Record<"down" | "up", Partial<DirectionSettings>> {
  const { down, up, blackhole, delayMs, queueMs, queueBytes, loss } = change;
  const common = Object.fromEntries(
    Object.entries({ delayMs, queueMs, queueBytes, loss }).filter(([, value]) => value !== undefined),
  ) as Partial<DirectionSettings>;
  const sink = typeof blackhole === "boolean" ? { down: blackhole, up: blackhole } : (blackhole ?? {});
  const settings = (rate: number | undefined, swallow: boolean | undefined): Partial<DirectionSettings> => ({
    ...common,
    ...(rate === undefined ? {} : { rate }),
    ...(swallow === undefined ? {} : { blackhole: swallow }),
  });
  return { down: settings(down, sink.down), up: settings(up, sink.up) };
}

/** One line of a running house. */
export class Line {
  readonly name: string;
  /** From 1, in the order of the house's options: the number in its addresses. */
  readonly number: number;
  readonly #plan: Plan;
  readonly #router: Namespace;
  readonly #emulator: Emulator | undefined;

  /** @param emulator what carries the line, undefined for a plain one */
  constructor(plan: Plan, number: number, router: Namespace, emulator: Emulator | undefined) {
    this.name = plan.lines[number - 1] as string;
    this.number = number;
    this.#plan = plan;
    this.#router = router;
    this.#emulator = emulator;
  }

  /** Changes the line while it runs; what is not named stays. */
  async set(change: LineChange): Promise<void> {
    if (this.#emulator === undefined) throw new Error(`line ${this.name} is a plain cable`);
    const { down, up } = directionSettings(change);
    await this.#emulator.set(this.name, toWire(down), toWire(up));
  }

  /** Takes the router's device down, as a modem that lost power: the kernel removes its routes. */
  async down(): Promise<void> {
    await this.#router.ip([`link set ${this.name} down`]);
  }

  /** Brings the device up again, with its addresses and routes. */
  async up(): Promise<void> {
    await this.#router.ip(routerLineCommands(this.#plan, this.name, this.number));
  }

  /** What the line has carried and dropped since it was made. */
  async counters(): Promise<LineTraffic> {
    if (this.#emulator === undefined) return this.#deviceCounters();
    const counters = (await this.#emulator.counters()).lines[this.name];
    if (counters === undefined) throw new Error(`the emulator has no line ${this.name}`);
    return counters;
  }

  async #deviceCounters(): Promise<LineTraffic> {
    const { stdout } = await this.#router.exec("ip", ["-s", "-j", "link", "show", "dev", this.name]);
    const [{ stats64 }] = JSON.parse(stdout) as [{ stats64: Record<"rx" | "tx", Record<string, number>> }];
    const traffic = (side: Record<string, number>): DirectionCounters => ({
      deliveredPackets: side["packets"] ?? 0,
      deliveredBytes: side["bytes"] ?? 0,
      queueDrops: side["dropped"] ?? 0,
      lossDrops: 0,
      blackholeDrops: 0,
    });
    return { down: traffic(stats64.rx), up: traffic(stats64.tx) };
  }
}
