import { CloseCode, DEFAULT_POLICY, type PathPolicy, type PathRole } from "@hawser/shared-protocol";
import { Random } from "@hawser/shared-protocol/testing";
import { Clock } from "./clock.ts";
import { type Connection, Endpoint } from "./endpoint.ts";
import { Pipe, type PipeSpec } from "./pipe.ts";

export interface LineSpec {
  readonly name: string;
  /** From local to remote. */
  readonly up: PipeSpec;
  readonly down: PipeSpec;
  readonly role?: PathRole;
  readonly policy?: Partial<Omit<PathPolicy, "rate">>;
  /** What each side may send, bytes per millisecond. */
  readonly maxRate?: { readonly up?: number; readonly down?: number };
}

export interface NetworkOptions {
  readonly seed?: number;
  readonly memoryCap?: number;
  readonly hostTurn?: number;
  /** False: the systems do not tell what has arrived (not Linux, a user-space line). */
  readonly watched?: boolean;
}

/** First pause before a lost line is dialled again, and the longest, milliseconds. */
const REDIAL_MIN = 250;
const REDIAL_MAX = 5_000;
/** More writes at one time than any turn makes that ends. */
const MAX_WRITES = 1_000;

/** Mbit/s as bytes per millisecond. */
export function mbit(rate: number): number {
  return rate * 125;
}

/** A line of `down`/`up` Mbit/s and `delay` ms each way. */
export function line(
  name: string,
  down: number,
  up: number,
  delay: number,
  more?: Partial<PipeSpec>,
): LineSpec {
  return { name, down: { rate: mbit(down), delay, ...more }, up: { rate: mbit(up), delay, ...more } };
}

/** Two sessions and the lines between them. */
export class Network {
  readonly clock = new Clock();
  readonly random: Random;
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly lines: Line[] = [];
  readonly watched: boolean;

  constructor(specs: readonly LineSpec[], options: NetworkOptions = {}) {
    const { seed = 1, memoryCap = 64 * 1024 * 1024, hostTurn = 0.2, watched = true } = options;
    this.watched = watched;
    this.random = new Random(seed);
    this.local = new Endpoint(this.clock, this.random, { side: "local", memoryCap, hostTurn });
    this.remote = new Endpoint(this.clock, this.random, { side: "remote", memoryCap, hostTurn });
    let next = 0;
    for (const spec of specs) this.lines.push(new Line(this, spec, () => next++));
    this.local.onSubflowClosed = (id) => this.#lineOf(id)?.handleClosed(id);
    this.remote.onSubflowClosed = () => {};
    for (const each of this.lines) each.dial();
  }

  line(name: string): Line {
    return this.lines.find((each) => each.spec.name === name) as Line;
  }

  #lineOf(id: number): Line | undefined {
    return this.lines.find((each) => each.subflow === id);
  }

  /** Runs for this many milliseconds. */
  run(ms: number): void {
    this.clock.runUntil(this.clock.now + ms);
  }

  /** Runs until `done`, at most `ms`; whether it came to that. */
  runUntil(done: () => boolean, ms: number, step = 10): boolean {
    const end = this.clock.now + ms;
    while (!done()) {
      if (this.clock.now >= end) return false;
      this.clock.runUntil(Math.min(end, this.clock.now + step));
    }
    return true;
  }
}

/** One line: the connection that it carries now, its failures, and the dialling of the next connection. */
export class Line {
  readonly #network: Network;
  readonly #nextId: () => number;
  spec: LineSpec;
  subflow: number | undefined;
  up: Pipe | undefined;
  down: Pipe | undefined;
  /** False while nothing gets through. */
  alive = true;
  dials = 0;
  #backoff = REDIAL_MIN;
  /** The latest connection: the remote end gives it up, if it still has it, when the next one comes. */
  #last: number | undefined;

  constructor(network: Network, spec: LineSpec, nextId: () => number) {
    this.#network = network;
    this.spec = spec;
    this.#nextId = nextId;
  }

  get rtt(): number {
    return this.spec.up.delay + this.spec.down.delay;
  }

  /** A connection stands, and nothing keeps bytes from getting through, either way. */
  get lives(): boolean {
    return this.subflow !== undefined && !this.up?.isCut && !this.down?.isCut;
  }

  /** Connects: three round trips, then both ends have the subflow. */
  dial(): void {
    this.dials++;
    this.#network.clock.after(3 * this.rtt, () => {
      if (this.alive) this.#join();
      else this.#redial();
    });
  }

  #redial(): void {
    const wait = this.#backoff;
    this.#backoff = Math.min(REDIAL_MAX, 2 * wait);
    this.#network.clock.after(wait, () => this.dial());
  }

  #join(): void {
    const { local, remote, clock, random } = this.#network;
    const id = this.#nextId();
    const up = new Pipe(clock, random, this.spec.up, (bytes) =>
      bytes ? remote.handleBytes(id, bytes) : remote.handleLost(id),
    );
    const down = new Pipe(clock, random, this.spec.down, (bytes) => {
      if (bytes) return local.handleBytes(id, bytes);
      local.handleLost(id);
      this.handleClosed(id);
    });
    up.back = down;
    down.back = up;
    const before = this.#last;
    if (before !== undefined)
      remote.do((session) => session.closeSubflow(before, CloseCode.unresponsive, "dialled anew", clock.now));
    this.#last = id;
    this.subflow = id;
    this.up = up;
    this.down = down;
    this.#backoff = REDIAL_MIN;
    const { name, role } = this.spec;
    local.addSubflow(id, name, this.#connection(up), role, this.#policy("up"));
    remote.addSubflow(id, name, this.#connection(down), role, this.#policy("down"));
  }

  #policy(direction: "up" | "down"): PathPolicy {
    const { policy, maxRate } = this.spec;
    return { ...DEFAULT_POLICY, ...policy, rate: (maxRate?.[direction] ?? 0) * 1_000 };
  }

  #connection(pipe: Pipe): Connection {
    const { clock, watched } = this.#network;
    let [writes, at] = [0, clock.now];
    return {
      takesMore: true,
      write: (parts) => {
        if (at !== clock.now) [writes, at] = [0, clock.now];
        if (++writes > MAX_WRITES) throw new Error(`the turn of line ${this.spec.name} never ends`);
        pipe.write(parts);
      },
      end: () => pipe.end(),
      ...(watched && { look: () => pipe.report }),
    };
  }

  /** The local end has closed the connection, or seen it closed. */
  handleClosed(id: number): void {
    if (this.subflow !== id) return;
    this.subflow = undefined;
    this.#redial();
  }

  /** Nothing gets through from now on, and nobody is told. */
  blackhole(): void {
    this.alive = false;
    this.up?.cut();
    this.down?.cut();
  }

  /** New connections get through again; the old one is beyond help. */
  restore(): void {
    this.alive = true;
  }

  /** The local end sees its interface go down; on this line nothing tells the remote. */
  unplug(): void {
    this.blackhole();
    const id = this.subflow;
    if (id === undefined) return;
    this.#network.local.handleLost(id);
    this.handleClosed(id);
  }

  /** Both ends see their connection reset. */
  reset(): void {
    const id = this.subflow;
    if (id === undefined) return;
    this.up?.cut();
    this.down?.cut();
    this.#network.remote.handleLost(id);
    this.#network.local.handleLost(id);
    this.handleClosed(id);
  }

  change(spec: { up?: Partial<PipeSpec>; down?: Partial<PipeSpec> }): void {
    this.spec = {
      ...this.spec,
      up: { ...this.spec.up, ...spec.up },
      down: { ...this.spec.down, ...spec.down },
    };
    if (spec.up) this.up?.change(spec.up);
    if (spec.down) this.down?.change(spec.down);
  }
}
