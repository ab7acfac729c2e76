import { type App, listen, open } from "./apps.ts";
import type { Endpoint } from "./endpoint.ts";
import { type Line, type LineSpec, Network, type NetworkOptions } from "./network.ts";
import type { Pipe } from "./pipe.ts";

export type Direction = "down" | "up";

/** More than any line carries in a test. */
const ENDLESS = 1e12;
const STEP = 10;

export interface BulkOptions extends NetworkOptions {
  /** Bytes of each buffer that the sender writes. */
  readonly piece?: number;
}

/** One flow that always has more to send, in one direction or both, over given lines. */
export class Bulk {
  readonly network: Network;
  readonly direction: Direction;
  readonly reader: App;
  readonly sender: Endpoint;
  #received = 0;

  constructor(lines: readonly LineSpec[], direction: Direction, { piece, ...options }: BulkOptions = {}) {
    this.network = new Network(lines, { hostTurn: 0.3, ...options });
    this.direction = direction;
    const { local, remote } = this.network;
    this.network.runUntil(() => this.network.lines.every((each) => each.subflow !== undefined), 3_000);
    const endless = { bytes: ENDLESS, ...(piece !== undefined && { piece }) };
    const app = open(local);
    const peers = listen(remote, (peer) => {
      if (direction === "down") peer.write(endless);
    });
    if (direction === "up") app.write(endless);
    this.network.runUntil(() => peers.size > 0, 3_000, 1);
    this.reader = direction === "down" ? app : (peers.get(app.stream) as App);
    this.sender = direction === "down" ? remote : local;
  }

  pipe(line: Line): Pipe {
    return (this.direction === "down" ? line.down : line.up) as Pipe;
  }

  /** Bytes per millisecond that all lines carry in this direction. */
  get capacity(): number {
    return this.network.lines.reduce((sum, each) => sum + each.spec[this.direction].rate, 0);
  }

  /** Runs for `ms` and returns what came out, as a share of what the lines could have carried. */
  run(ms: number): number {
    this.network.run(ms);
    const share = (this.reader.received - this.#received) / ms / this.capacity;
    this.#received = this.reader.received;
    return share;
  }

  /** Milliseconds of line time that stand in the lines' queues, sampled for `ms`: the shares of the time asked for. */
  queues(ms: number, ...shares: readonly number[]): number[] {
    const samples: number[] = [];
    for (let t = 0; t < ms; t += STEP) {
      this.network.run(STEP);
      for (const line of this.network.lines) {
        if (line.subflow !== undefined) samples.push(this.pipe(line).queued / this.pipe(line).spec.rate);
      }
    }
    samples.sort((a, b) => a - b);
    return shares.map((share) => samples[Math.floor(share * (samples.length - 1))] as number);
  }

  /** Milliseconds until a whole `window` has had this share of the capacity. */
  timeTo(share: number, window: number, limit: number): number {
    for (let t = window; t <= limit; t += window) if (this.run(window) >= share) return t;
    return Number.POSITIVE_INFINITY;
  }
}
