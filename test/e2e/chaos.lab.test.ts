/** Fifty random events on three lines, one of which always lives, under more than twenty flows: every byte arrives. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Random } from "@hawser/shared-protocol/testing";
import { Hawser, until } from "../lab/hawser.ts";
import { House } from "../lab/house.ts";
import type { Line, ShapedLineOptions } from "../lab/line.ts";
import { labMissing } from "../lab/requirements.ts";
import { type RunningOrigin, start, startOrigin } from "../lab/traffic/run.ts";
import { descriptorsOf } from "./support.ts";
import { TROUBLES, type Trouble } from "./troubles.ts";

const MIB = 2 ** 20;
const EVENTS = 50;
/** The pause between two events, ms. */
const PACE = [200, 2_000] as const;
/**
 * A line counts on carrying only when it was whole for this long, ms: before, TCP may still send again what the line
 * carried.
 */
const SETTLED = 1_000;
const LINES: readonly (ShapedLineOptions & { down: number; up: number })[] = [
  { name: "dsl", down: 20e6, up: 5e6, delayMs: 10, queueMs: 150 },
  { name: "far", down: 12e6, up: 4e6, delayMs: 25, queueMs: 150 },
  { name: "lte", down: 8e6, up: 6e6, delayMs: 40, queueMs: 200 },
];
/** The connections of a group start together; the group starts anew when the last of them has ended. */
const GROUPS = [
  { op: "download", connections: 5, bytes: 1.5e6 },
  { op: "download", connections: 5, bytes: 1.5e6 },
  { op: "download", connections: 6, bytes: 60e3 },
  { op: "upload", connections: 4, bytes: 600e3 },
  { op: "upload", connections: 4, bytes: 600e3 },
] as const;

/** The lines, and the trouble that each has. */
class Lines {
  readonly #house: House;
  readonly #hawser: Hawser;
  readonly #random: Random;
  readonly #hurt = new Map<Line, Trouble>();
  readonly #wholeSince = new Map<Line, number>();
  readonly told: string[] = [];

  constructor(house: House, hawser: Hawser, random: Random) {
    this.#house = house;
    this.#hawser = hawser;
    this.#random = random;
  }

  async happen(): Promise<void> {
    const living = await this.#living();
    const possible: (() => Promise<void>)[] = [];
    for (const line of this.#house.lines) {
      possible.push(() => this.#stepRate(line));
      if (this.#hurt.has(line)) possible.push(...Array<() => Promise<void>>(3).fill(() => this.#heal(line)));
      else if (living.some((other) => other !== line))
        possible.push(...TROUBLES.map((trouble) => () => this.#begin(line, trouble)));
    }
    await this.#random.pick(possible)();
  }

  /** The lines that were whole for a while, and whose subflow makes progress. */
  async #living(): Promise<Line[]> {
    const { paths } = (await this.#hawser.status()).session;
    const carrying = paths.filter(({ state }) => state === "up" || state === "probation");
    return this.#house.lines.filter(
      (line) =>
        !this.#hurt.has(line) &&
        performance.now() - (this.#wholeSince.get(line) ?? 0) >= SETTLED &&
        carrying.some(({ name }) => name === line.name),
    );
  }

  async #begin(line: Line, trouble: Trouble): Promise<void> {
    this.told.push(`${line.name}: ${trouble.name}`);
    if (trouble.end) this.#hurt.set(line, trouble);
    await trouble.begin(this.#house, line);
    this.#wholeSince.set(line, performance.now());
  }

  async #heal(line: Line): Promise<void> {
    this.told.push(`${line.name}: whole`);
    await this.#hurt.get(line)?.end?.(line);
    this.#hurt.delete(line);
    this.#wholeSince.set(line, performance.now());
  }

  /** Sets a rate between a fifth and twice the usual one, so one rate is ten times the next at most. */
  async #stepRate(line: Line): Promise<void> {
    const { down, up } = LINES[line.number - 1] as (typeof LINES)[number];
    const factor = 0.2 * 10 ** this.#random.next();
    this.told.push(`${line.name}: ${factor.toFixed(2)} of its rate`);
    await line.set({ down: down * factor, up: up * factor });
  }

  async healAll(): Promise<void> {
    for (const line of this.#hurt.keys()) await this.#heal(line);
  }
}

suite("chaos", { skip: labMissing() ?? false, timeout: 180_000 }, () => {
  const seed = Number(process.env["HAWSER_SEED"] ?? Date.now() % 1e6);
  test(`HAWSER_SEED=${seed}: no flow is lost, every byte is right, nothing is left behind`, async (t) => {
    await using house = await House.create({ lines: LINES, seed });
    const origin = await startOrigin(house.origin);
    await using hawser = await Hawser.start(house);
    const gateways = [hawser.local, hawser.remote];
    const before = gateways.map((gateway) => ({
      descriptors: descriptorsOf(gateway),
      memory: gateway.residentBytes(),
    }));
    const random = new Random(seed);
    const lines = new Lines(house, hawser, random);
    try {
      await runFlowsDuring(house, origin, () => happenings(lines, random));
    } finally {
      t.diagnostic(lines.told.join("; "));
    }
    const { flows, bytes } = (await hawser.status()).session;
    t.diagnostic(
      `${flows.total} flows, ${bytes.received} bytes down, ${bytes.sent} up, ${bytes.reinjected} again`,
    );
    assert.equal(flows.failed, 0);
    await hawser.whenPaths((states) => states.every((state) => state === "up"));
    for (const gateway of gateways)
      await until(async () => ((await gateway.get("/api/flows")) as []).length === 0);
    for (const [index, gateway] of gateways.entries()) {
      const { descriptors, memory } = before[index] as (typeof before)[number];
      await until(async () => descriptorsOf(gateway) <= descriptors);
      const grown = gateway.residentBytes() - memory;
      assert.ok(grown < 150 * MIB, `memory grew by ${Math.round(grown / MIB)} MiB`);
    }
  });
});

async function happenings(lines: Lines, random: Random): Promise<void> {
  for (let n = 0; n < EVENTS; n++) {
    await sleep(random.between(...PACE));
    await lines.happen();
  }
  await lines.healAll();
}

/** Runs all groups of flows while `action` goes on, and to the end of the round that they are in then. */
async function runFlowsDuring(
  house: House,
  origin: RunningOrigin,
  action: () => Promise<void>,
): Promise<void> {
  let isOver = false;
  const { v4: host } = house.addresses.origin;
  const groups = GROUPS.map(async (group, index) => {
    while (!isOver) {
      const task = { ...group, host, port: origin.port, seed: index + 1 };
      const { error, bytes } = await start(house.lan, task).result;
      assert.equal(error, null, `${group.op} of ${group.bytes} bytes`);
      assert.equal(bytes, group.connections * group.bytes);
    }
  });
  const done = action().finally(() => (isOver = true));
  await Promise.all([done, ...groups]);
}
