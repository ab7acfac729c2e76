/** What a scenario plays with: a house, an origin, both gateways once they are started, and what is measured on them. */
import { setTimeout as sleep } from "node:timers/promises";
import type { GatewayEvent, PathStatus } from "@hawser/status-api/model";
import { measureLines } from "../../lab/direct.ts";
import { Hawser, type HawserOptions } from "../../lab/hawser.ts";
import type { House } from "../../lab/house.ts";
import type { Line } from "../../lab/line.ts";
import type { Provider } from "../../lab/provider.ts";
import { firstByte, start } from "../../lab/traffic/run.ts";
import { percentile } from "../../lab/traffic/short.ts";
import type { TransferResult } from "../../lab/traffic/tasks.ts";
import { whenQuiet } from "../quiet.ts";
import type { BenchLine } from "../rows.ts";
import { longestBelow, rateBetween } from "../statistics.ts";
import { eventsOf, type Reading, readAll } from "./operator.ts";

export type Direction = "down" | "up";

const PLAIN_SECONDS = 4;
const PLAIN_SKIP_MS = 1_000;
/** A request without a byte by then is lost, and counts as if it had come then. */
const REQUEST_TIMEOUT_MS = 3_000;
const REQUEST_BATCH = 5;
const REQUEST_PAUSE_MS = 100;
/** A line is used again when it brings this share of its rate. */
const USED_SHARE = 0.25;
const LOOK_MS = 200;

interface Target {
  readonly host: string;
  readonly port: number;
}

/** Bit/s of one direction of each line alone, by its name. */
export type Rates = Readonly<Record<string, number>>;

export interface Requests {
  readonly p50: number;
  readonly p99: number;
  readonly lost: number;
}

export class Stand {
  readonly house: House;
  readonly readings: Reading[] = [];
  readonly #port: number;
  readonly #lines: readonly BenchLine[];
  readonly #options: HawserOptions;
  #hawser: Hawser | undefined;

  constructor(house: House, port: number, lines: readonly BenchLine[], options: HawserOptions) {
    this.house = house;
    this.#port = port;
    this.#lines = lines;
    this.#options = options;
  }

  get hawser(): Hawser {
    if (this.#hawser === undefined) throw new Error("Hawser does not run yet");
    return this.#hawser;
  }

  async startHawser(): Promise<void> {
    this.#hawser = await Hawser.start(this.house, this.#options);
  }

  async stop(): Promise<void> {
    await this.#hawser?.stop();
    this.#hawser = undefined;
  }

  line(name: string): Line {
    return this.house.line(name);
  }

  /** The provider at which a line ends. */
  provider(line: string): Provider {
    const { provider } = this.#bought(line);
    if (provider === undefined) throw new Error(`line ${line} has no provider`);
    return this.house.provider(provider);
  }

  /** What the LAN asks, over all lines. */
  get target(): Target {
    return { host: this.house.addresses.origin.v4, port: this.#port };
  }

  /** The same server over one line alone, past Hawser. */
  targetOver(line: string, family: "v4" | "v6" = "v4"): Target {
    return { host: this.house.addresses.direct(this.line(line).number)[family], port: this.#port };
  }

  /** Plain TCP over each line alone, one after the other. */
  async plain(
    direction: Direction,
    options: { family?: "v4" | "v6"; lines?: string[] } = {},
  ): Promise<Rates> {
    const timed = { seconds: PLAIN_SECONDS, skipMs: PLAIN_SKIP_MS, connections: 1, directions: [direction] };
    const measured = await measureLines(this.house, this.#port, { ...timed, ...options });
    await whenQuiet(this.house);
    return Object.fromEntries(
      measured.map(({ line, downBps, upBps }) => [line, direction === "down" ? downBps : upBps]),
    );
  }

  /** A transfer for so long, through Hawser unless another target is named. */
  bulk(direction: Direction, seconds: number, target = this.target): Bulk {
    return new Bulk(this.house, direction, seconds, target);
  }

  /** New connections of one byte each, one after the other, for about so long. */
  async requests(seconds: number, target = this.target): Promise<Requests> {
    const until = performance.now() + seconds * 1000;
    const ms: number[] = [];
    let lost = 0;
    const batch = { count: REQUEST_BATCH, pauseMs: REQUEST_PAUSE_MS, timeoutMs: REQUEST_TIMEOUT_MS };
    do {
      const result = await firstByte(this.house.lan, { ...target, ...batch });
      ms.push(...result.ms, ...Array<number>(result.failed).fill(REQUEST_TIMEOUT_MS));
      lost += result.failed;
    } while (performance.now() < until);
    return { p50: percentile(ms, 0.5), p99: percentile(ms, 0.99), lost };
  }

  /** Notes what an operator reads now. */
  async read(when: string): Promise<Reading> {
    const reading = await readAll(this.hawser, when);
    this.readings.push(reading);
    return reading;
  }

  /** All events of a gateway so far. */
  events(gateway: "local" | "remote"): Promise<GatewayEvent[]> {
    return eventsOf(this.hawser[gateway]);
  }

  /** How many events of that type the local gateway has of the line's path. */
  async eventCount(type: GatewayEvent["type"], line: string): Promise<number> {
    const events = await this.events("local");
    return events.filter((event) => event.type === type && event.path === line).length;
  }

  async path(line: string): Promise<PathStatus> {
    const { session } = await this.hawser.status();
    const path = session.paths.find(({ name }) => name === line);
    if (path === undefined) throw new Error(`Hawser has no path ${line}`);
    return path;
  }

  /** Seconds until Hawser takes a quarter of the line's rate over it; Infinity: not within the limit. */
  async usedAgain(line: string, direction: Direction, limitSeconds: number): Promise<number> {
    const enough = this.#bought(line)[direction] * USED_SHARE;
    const began = performance.now();
    const carried = async (): Promise<{ at: number; bytes: number }> => {
      const { receivedBytes, sentBytes } = await this.path(line);
      return { at: performance.now(), bytes: direction === "down" ? receivedBytes : sentBytes };
    };
    let before = await carried();
    while (before.at - began < limitSeconds * 1000) {
      await sleep(LOOK_MS);
      const now = await carried();
      if (((now.bytes - before.bytes) * 8000) / (now.at - before.at) >= enough)
        return (before.at - began) / 1000;
      before = now;
    }
    return Infinity;
  }

  #bought(line: string): BenchLine {
    const found = this.#lines.find(({ name }) => name === line);
    if (found === undefined) throw new Error(`the house has no line ${line}`);
    return found;
  }
}

/** A transfer that is looked at when it is over. Moments are of the wall clock, as Date.now() has them. */
export class Bulk {
  readonly over: Promise<Flow>;

  constructor(house: House, op: Direction, seconds: number, target: Target) {
    const task = { ...target, seconds };
    const { result } =
      op === "down"
        ? start(house.lan, { op: "download", ...task, check: false })
        : start(house.lan, { op: "upload", ...task });
    const began = Date.now();
    this.over = result.then((transfer) => new Flow(op, transfer, began + seconds * 1000));
    // It is awaited later, or not at all when the story ends before it.
    this.over.catch(() => {});
  }
}

export class Flow {
  /** Why it ended early; of an upload also that the server's report never came. */
  readonly error: string | null;
  readonly #timeline: readonly number[];
  readonly #startedAt: number;
  readonly #endsAt: number;
  /** The longest silence after its first byte. */
  readonly gapMs: number;

  constructor(op: Direction, transfer: TransferResult, endsAt: number) {
    const { error, timeline, startedAt, largestGapMs, firstByteMs } = transfer;
    this.error = error;
    // Without the server's report there is only what the sender has got rid of.
    this.#timeline = op === "up" && error !== null ? [] : timeline;
    this.#startedAt = startedAt;
    this.#endsAt = endsAt;
    this.gapMs = firstByteMs === null || error !== null ? Infinity : largestGapMs;
  }

  /** Bit/s between two moments; to its end, unless the second is named. */
  rate(from: number, to = this.#endsAt): number {
    return rateBetween(this.#timeline, this.#clock(from), this.#clock(to));
  }

  /** The longest time with less than that rate from a moment to its end, s. */
  longestBelow(bps: number, from: number): number {
    const [fromMs, toMs] = [this.#clock(from), this.#clock(this.#endsAt)];
    return longestBelow(this.#timeline, bps, { fromMs, toMs });
  }

  /** A moment on the transfer's clock, which begins when its process has started. */
  #clock(moment: number): number {
    return Math.max(0, moment - this.#startedAt);
  }
}
