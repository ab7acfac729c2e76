/** The trials that a user can run on the gateway: a drill (a line is taken out) and a speed test. One runs at a time. */

import { noSuchPath, RequestError } from "@hawser/status-api";
import {
  carries,
  type DrillProgress,
  type DrillReport,
  isFree,
  type SpeedProgress,
  type SpeedResult,
  type SpeedtestOptions,
} from "@hawser/status-api/model";
import type { Path } from "../paths/path.ts";
import type { SessionKeeper } from "../session-keeper.ts";
import { drill } from "./drill.ts";
import { type SpeedtestPlan, speedtest } from "./speedtest.ts";

/** How long a speed test measures each direction, by default. */
const DEFAULT_SECONDS = 5;
const DEFAULT_BYTES = 250e6;

export interface TrialsGateway {
  readonly paths: readonly Path[];
  readonly keeper: SessionKeeper;
}

export class Trials {
  readonly #gateway: TrialsGateway;
  #stopped = false;
  #running: { readonly what: string; readonly stop: AbortController } | undefined;

  constructor(gateway: TrialsGateway) {
    this.#gateway = gateway;
  }

  /** @throws RequestError when it cannot be done, or another trial runs */
  drill(
    name: string,
    seconds: number,
    signal: AbortSignal,
    onProgress: (progress: DrillProgress) => void,
  ): Promise<DrillReport> {
    const path = this.#find(name);
    if (!isUsable(path)) throw new RequestError(409, `${name} is ${path.record.state} already`);
    if (!this.#gateway.paths.some((other) => other !== path && isUsable(other)))
      throw new RequestError(409, `${name} is the only line that is up; its flows could go nowhere`);
    return this.#alone("a drill", signal, (stop) =>
      drill(path, this.#gateway.keeper.driver, seconds, stop, onProgress),
    );
  }

  /** @throws RequestError when it cannot be done, or another trial runs */
  speedtest(
    options: SpeedtestOptions,
    signal: AbortSignal,
    onProgress: (progress: SpeedProgress) => void,
  ): Promise<readonly SpeedResult[]> {
    const plan = this.#plan(options);
    const { driver } = this.#gateway.keeper;
    return this.#alone("a speed test", signal, (stop) => speedtest(driver, plan, stop, onProgress));
  }

  #plan({ paths: named, seconds = DEFAULT_SECONDS, bytes = DEFAULT_BYTES }: SpeedtestOptions): SpeedtestPlan {
    const { paths } = this.#gateway;
    for (const name of named ?? []) {
      const path = this.#find(name);
      if (!isUsable(path)) throw new RequestError(409, `${name} is ${path.record.state}; it carries nothing`);
    }
    const chosen = paths.filter((path) =>
      named ? named.includes(path.name) : isUsable(path) && isFree(path.config),
    );
    if (chosen.length === 0)
      throw new RequestError(409, "no line is up that costs nothing; name the ones to be measured");
    const together = chosen.filter(({ roleInForce }) => named || roleInForce !== "backup");
    const names = (list: readonly Path[]): string[] => list.map(({ name }) => name);
    return { alone: names(chosen), together: names(together), ms: seconds * 1_000, bytes };
  }

  /** @throws RequestError when there is no path of this name */
  #find(wanted: string): Path {
    const { paths } = this.#gateway;
    const path = paths.find(({ name }) => name === wanted);
    if (path) return path;
    throw noSuchPath(
      wanted,
      paths.map(({ name }) => name),
    );
  }

  /** @throws RequestError when another trial runs */
  async #alone<T>(what: string, signal: AbortSignal, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.#stopped) throw new RequestError(409, "the gateway is stopping");
    if (this.#running) throw new RequestError(409, `${this.#running.what} is running; wait for its end`);
    const stop = new AbortController();
    this.#running = { what, stop };
    try {
      return await run(AbortSignal.any([signal, stop.signal]));
    } finally {
      this.#running = undefined;
    }
  }

  /** Ends the trial that runs, because the gateway is stopping. */
  stop(): void {
    this.#stopped = true;
    this.#running?.stop.abort();
  }
}

/** Whether the path could carry data now. */
function isUsable({ record, roleInForce }: Path): boolean {
  return carries(record) && roleInForce !== "disabled";
}
