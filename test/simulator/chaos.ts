import assert from "node:assert/strict";
import type { Random } from "@hawser/shared-protocol/testing";
import { type App, listen, open } from "./apps.ts";
import { assertEmpty, assertWithin } from "./memory.ts";
import { type Line, type LineSpec, line, Network } from "./network.ts";
import type { PipeSpec } from "./pipe.ts";

const LINES = [line("dsl", 40, 10, 8), line("far", 16, 4, 25), line("lte", 10, 10, 40, { jitter: 10 })];
const MEMORY_CAP = 64 * 1024 * 1024;
/** Pause between two events, milliseconds, on average. */
const PACE = 250;
/** Shorter than what makes a subflow dead, so that a stall alone ends no connection. */
const LONGEST_STALL = 700;
/** Over whole lines, for the last flows, and for the last dead connection to be found out and dialled anew. */
const PATIENCE = 60_000;

/** What a flow is to carry: how many bytes each end writes, and whether the remote end answers or begins at once. */
interface Plan {
  readonly up: number;
  readonly down: number;
  readonly answers: boolean;
}

/** The twenty flows that run at any time; one that ends is followed by another of its kind. */
const KINDS: readonly { readonly count: number; readonly plan: (random: Random) => Plan }[] = [
  { count: 4, plan: (random) => ({ up: 200, down: random.integer(1e6, 6e6), answers: true }) },
  { count: 4, plan: (random) => ({ up: random.integer(5e5, 3e6), down: 100, answers: true }) },
  {
    count: 2,
    plan: (random) => ({ up: random.integer(1, 2e6), down: random.integer(1, 4e6), answers: false }),
  },
  {
    count: 10,
    plan: (random) => ({ up: random.integer(1, 2_000), down: random.integer(0, 60_000), answers: true }),
  },
];

/**
 * What can happen to a line. Those that `cut` its connection happen only while another line lives: while a connection
 * of that other one stands and carries both ways. A line that is whole again lives once it was dialled, not before.
 */
interface Trouble {
  readonly cuts?: true;
  /** How often it happens, compared with the others. */
  readonly weight: number;
  happen(line: Line, random: Random): void;
}

const TROUBLES: Readonly<Record<string, Trouble>> = {
  reset: { cuts: true, weight: 1, happen: (each) => each.reset() },
  blackhole: { cuts: true, weight: 1, happen: (each) => each.blackhole() },
  "interface lost": { cuts: true, weight: 1, happen: (each) => each.unplug() },
  "deaf one way": {
    cuts: true,
    weight: 1,
    happen: (each, random) => random.pick([each.up, each.down])?.cut(),
  },
  restored: { weight: 4, happen: (each) => each.restore() },
  stall: {
    weight: 1,
    happen: (each, random) => random.pick([each.up, each.down])?.stall(random.between(20, LONGEST_STALL)),
  },
  rate: { weight: 2, happen: (each, random) => step(each, random, rateStep) },
  delay: { weight: 1, happen: (each, random) => step(each, random, delayStep) },
  loss: { weight: 1, happen: (each, random) => step(each, random, lossStep) },
};

type Step = (usual: PipeSpec, random: Random) => Partial<PipeSpec>;

/** Between a fifth and twice the usual rate: ten times at most from one to the next. */
const rateStep: Step = ({ rate }, random) => ({ rate: rate * 0.2 * 10 ** random.next() });
const delayStep: Step = ({ delay }, random) => ({ delay: delay * 0.4 * 10 ** random.next() });
const lossStep: Step = (_usual, random) => ({ loss: random.chance(0.5) ? 0 : random.between(0, 0.02) });

function step(each: Line, random: Random, change: Step): void {
  const usual = usualOf(each);
  each.change({ up: change(usual.up, random), down: change(usual.down, random) });
}

function usualOf(each: Line): LineSpec {
  return LINES.find(({ name }) => name === each.spec.name) as LineSpec;
}

/** Twenty flows over three lines to which things happen at random; the same seed gives the same run. */
export class Chaos {
  readonly network: Network;
  readonly #flows = new Map<number, Flow>();
  #over = false;
  #heardAt = 0;
  /** Flows that came to their end, every byte right. */
  completed = 0;
  /** Longest time in which no flow received anything, milliseconds. */
  longestPause = 0;
  /** Longest time that a small flow took, milliseconds. */
  slowestAnswer = 0;
  readonly counts: Record<string, number> = {};

  constructor(seed: number) {
    this.network = new Network(LINES, { seed, memoryCap: MEMORY_CAP });
    this.network.run(1_000);
    listen(this.network.remote, (peer) => this.#flows.get(peer.stream)?.serve(peer));
    this.#heardAt = this.network.clock.now;
    for (const { count, plan } of KINDS) for (let n = 0; n < count; n++) this.#start(plan);
  }

  #start(plan: (random: Random) => Plan): void {
    const { network } = this;
    const startedAt = network.clock.now;
    const flow = new Flow(open(network.local), plan(network.random), () => this.#hear());
    this.#flows.set(flow.stream, flow);
    flow.onDone = () => {
      this.#flows.delete(flow.stream);
      this.completed++;
      if (flow.isSmall) this.slowestAnswer = Math.max(this.slowestAnswer, network.clock.now - startedAt);
      if (!this.#over) this.#start(plan);
    };
  }

  #hear(): void {
    const { now } = this.network.clock;
    this.longestPause = Math.max(this.longestPause, now - this.#heardAt);
    this.#heardAt = now;
  }

  /** Has so many things happen to the lines while the flows run. */
  run(events: number): void {
    const { network } = this;
    for (let n = 0; n < events; n++) {
      do network.run(-PACE * Math.log(1 - network.random.next()));
      while (!this.#happen());
      for (const end of [network.local, network.remote]) assertWithin(end, MEMORY_CAP);
    }
  }

  /** False if nothing can happen now: stalls on end have ended the last connection, and others are being dialled. */
  #happen(): boolean {
    const { random, lines } = this.network;
    const possible: [Line, string][] = [];
    for (const each of lines) {
      for (const [name, trouble] of Object.entries(TROUBLES)) {
        if (!isPossible(name, each, lines)) continue;
        for (let n = 0; n < trouble.weight; n++) possible.push([each, name]);
      }
    }
    if (possible.length === 0) return false;
    const [each, name] = random.pick(possible);
    TROUBLES[name]?.happen(each, random);
    this.counts[name] = (this.counts[name] ?? 0) + 1;
    return true;
  }

  /** Makes the lines whole: they are all used again, the flows come to their end, and nothing of them is left. */
  finish(): void {
    const { network } = this;
    this.#over = true;
    for (const each of network.lines) {
      each.restore();
      each.change({ up: { ...usualOf(each).up, loss: 0 }, down: { ...usualOf(each).down, loss: 0 } });
    }
    const done = network.runUntil(() => this.#flows.size === 0, PATIENCE);
    assert.ok(done, `unfinished: ${[...this.#flows.values()].map(({ progress }) => progress).join("; ")}`);
    const whole = network.runUntil(() => network.lines.every((each) => each.lives), PATIENCE);
    assert.ok(whole, "a line that is whole again has no connection that works");
    assertEmpty(network);
  }
}

function isPossible(name: string, each: Line, lines: readonly Line[]): boolean {
  if (name === "restored") return !each.alive;
  if (!each.lives) return false;
  return !TROUBLES[name]?.cuts || lines.some((other) => other !== each && other.lives);
}

/** One flow, seen from both ends. */
class Flow {
  readonly #app: App;
  #peer: App | undefined;
  readonly #plan: Plan;
  readonly #hear: () => void;
  onDone: () => void = () => {};

  constructor(app: App, plan: Plan, hear: () => void) {
    this.#app = app;
    this.#plan = plan;
    this.#hear = hear;
    this.#watch(app);
    app.write({ bytes: plan.up });
  }

  get stream(): number {
    return this.#app.stream;
  }

  get isSmall(): boolean {
    return Math.max(this.#plan.up, this.#plan.down) < 100_000;
  }

  /** The flow has come to the remote. */
  serve(peer: App): void {
    this.#peer = peer;
    this.#watch(peer);
    const answer = (): void => peer.write({ bytes: this.#plan.down });
    if (this.#plan.answers) peer.onEnd = answer;
    else answer();
  }

  #watch(app: App): void {
    app.onData = this.#hear;
    app.onClosed = () => this.#check();
    app.onReset = (code) => assert.fail(`reset with code ${code}: ${this.progress}`);
  }

  /** Both ends over: all was received (what it was, the applications have checked), and every buffer given back. */
  #check(): void {
    const [app, peer] = [this.#app, this.#peer];
    if (!app.closed || !peer?.closed) return;
    assert.deepEqual([peer.received, app.received], [this.#plan.up, this.#plan.down], this.progress);
    assert.deepEqual([app.releases, peer.releases], [app.lent, peer.lent], `buffers kept: ${this.progress}`);
    this.onDone();
  }

  get progress(): string {
    const { up, down } = this.#plan;
    return `stream ${this.stream}: ${this.#peer?.received} of ${up} bytes up, ${this.#app.received} of ${down} down`;
  }
}
