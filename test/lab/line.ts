import type { Emulator } from "./emulator/client.ts";
import type { DirectionCounters, DirectionSettings } from "./emulator/line-model.ts";
import { toWire } from "./emulator/protocol.ts";
import type { Namespace } from "./namespace.ts";
import { type Plan, routerLineCommands } from "./plan.ts";

/** One value for both directions, or each its own. `down` is towards the LAN. */
export type PerDirection<T> = T | { down?: T; up?: T };

export interface LineChange {
  /** Bits per second, counting IP bytes. Without it the line starts without a limit. */
  down?: number;
  up?: number;
  /** One way, ms. */
  delayMs?: PerDirection<number>;
  /** The longest wait in the queue, ms; default 100. */
  queueMs?: PerDirection<number>;
  /** The queue's length in bytes. Given at the start without queueMs, it is the only limit. */
  queueBytes?: PerDirection<number>;
  /** Share of packets lost, 0 .. 1. */
  loss?: PerDirection<number>;
  /** Swallows all packets without a sign. */
  blackhole?: PerDirection<boolean>;
}

interface CommonLineOptions {
  /** The line's name, which is also its device's name. */
  name: string;
  /** The provider that translates addresses between the line and the remote. Lines of one provider share its uplink. */
  provider?: string;
}

/** A line with a rate, delay, queue and loss of its own. */
export interface ShapedLineOptions extends CommonLineOptions, LineChange {
  kind?: "shaped";
}

/** A plain cable, as fast as the machine. */
export interface PlainLineOptions extends CommonLineOptions {
  kind: "veth";
}

export type LineOptions = ShapedLineOptions | PlainLineOptions;

export interface LineTraffic {
  down: DirectionCounters;
  up: DirectionCounters;
}

/** The settings that a change gives for one direction. Settings that the change does not name are left out. */
export function directionSettings(change: LineChange, direction: "down" | "up"): Partial<DirectionSettings> {
  const of = <T extends number | boolean>(value: PerDirection<T> | undefined): T | undefined =>
    typeof value === "object" ? value[direction] : value;
  const settings: { [K in keyof DirectionSettings]: DirectionSettings[K] | undefined } = {
    rate: change[direction],
    delayMs: of(change.delayMs),
    queueMs: of(change.queueMs),
    queueBytes: of(change.queueBytes),
    loss: of(change.loss),
    blackhole: of(change.blackhole),
  };
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}

/** One line of a running house. */
export class Line {
  readonly name: string;
  /** The number in the line's addresses: from 1, in the order of the house's options. */
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

  /** Changes the running line. Settings that are not named stay. */
  async set(change: LineChange): Promise<void> {
    if (this.#emulator === undefined) throw new Error(`line ${this.name} is a plain cable`);
    const [down, up] = (["down", "up"] as const).map((side) => toWire(directionSettings(change, side)));
    await this.#emulator.set(this.name, down ?? {}, up ?? {});
  }

  /** Takes the router's device down, as when a modem loses power: the kernel removes its routes. */
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
