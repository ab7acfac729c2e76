import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { REQUEST, Victim } from "@hawser/multipath-engine/testing";
import { FrameEncoder, INITIAL_CREDIT } from "@hawser/shared-protocol";
import { type AnyFrame, append, encode } from "./frames.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

const MB = 2 ** 20;
/** What TLS hands over at once, in a buffer of its own. */
const RECORD = 16_384;
/** A step may cost so much, or a few times what it costs when there are a tenth as many: microseconds of CPU. */
const CHEAP = 40;
const GROWTH = 4;
/** What may be held afterwards beyond the memory that was counted, bytes. */
const MOST_HELD = 5 * MB;

interface Attack {
  readonly name: string;
  /** How often the frames are sent. */
  readonly steps: number;
  readonly frames: (n: number) => AnyFrame[];
  readonly memoryCap?: number;
  /** Stream 0 has this much to send. */
  readonly backlog?: number;
}

const open = (stream: number): AnyFrame => ({ type: "open", stream, ...REQUEST });
const data = (offset: number, length = 1): AnyFrame => ({ type: "data", stream: 0, offset, length });

/** A record full of what is dropped. */
const PADDING = Array<AnyFrame>(60).fill({
  ...open(0),
  destination: { host: "x".repeat(255), port: 1 },
} as AnyFrame);

/** What is cheap for the peer, frame by frame of SPEC.md; stream 0 is open. */
const ATTACKS: readonly Attack[] = [
  { name: "PING upon PING", steps: 100_000, frames: () => [{ type: "ping" }] },
  {
    name: "PATH back and forth",
    steps: 100_000,
    frames: (n) => [{ type: "path", role: n % 2 === 0 ? "backup" : "active" }],
  },
  {
    name: "GONE of subflows that never were",
    steps: 100_000,
    frames: (n) => [{ type: "gone", subflow: 9 + n, received: 0, role: "active" }],
  },
  {
    name: "ARRIVED byte by byte",
    steps: 100_000,
    frames: (n) => [{ type: "arrived", subflow: 0, received: n % 4_000 }],
    backlog: 2 * MB,
  },
  { name: "the same ACK", steps: 100_000, frames: () => [{ type: "ack", received: 0, delay: 0, time: 0 }] },
  { name: "OPEN upon OPEN", steps: 15_000, frames: (n) => [open(n)], memoryCap: 64 * MB },
  { name: "OPEN where memory is spent", steps: 30_000, frames: (n) => [open(n)], memoryCap: MB },
  { name: "OPEN and RESET", steps: 16_000, frames: (n) => [open(n), { type: "reset", stream: n, code: 1 }] },
  {
    name: "half-closed streams",
    steps: 15_000,
    frames: (n) => [open(n), { type: "fin", stream: n, offset: 0 }],
    memoryCap: 16 * MB,
  },
  {
    name: "RESET of every other stream",
    steps: 30_000,
    frames: (n) => [{ type: "reset", stream: 2 * n, code: 1 }],
  },
  { name: "bytes one by one, unread", steps: 60_000, frames: (n) => [data(n)] },
  { name: "every other byte, upwards", steps: 16_000, frames: (n) => [data(2 * n + 1)] },
  { name: "every other byte, downwards", steps: 16_000, frames: (n) => [data(65_535 - 2 * n)] },
  {
    name: "a byte in each record",
    steps: 1_000,
    frames: (n) => [data(n), ...PADDING],
  },
  {
    name: "credit byte by byte",
    steps: 50_000,
    frames: (n) => [{ type: "credit", stream: 0, limit: INITIAL_CREDIT + n }],
    backlog: 4 * MB,
    memoryCap: 16 * MB,
  },
];

interface Outcome {
  /** Microseconds of CPU for each step. */
  readonly cost: number;
  /** Bytes of the process beyond those that the session counts. */
  readonly held: number;
}

function play({ frames, memoryCap = 256 * MB, backlog = 0 }: Attack, steps: number): Outcome {
  const victim = new Victim({ side: "remote", memoryCap });
  const { session } = victim;
  victim.onEvent = (event) => {
    if (event.type === "open") session.accept(event.stream, { host: "", port: 0 });
    // The application of stream 0 stalls.
    if (event.type === "readable" && event.stream !== 0) session.read(event.stream);
  };
  victim.give(0, encode([open(0)]));
  victim.turn();
  session.write(0, Buffer.alloc(backlog));
  victim.turn();
  const before = memory();
  let micros = 0;
  for (const bytes of records(frames, steps)) {
    const from = process.cpuUsage();
    victim.now += 0.01;
    victim.give(0, bytes);
    victim.turn();
    const { user, system } = process.cpuUsage(from);
    micros += user + system;
  }
  assert.equal([...session.subflows].length, 1, "the rest of the attack went by unheard");
  const { heldToRead } = session.memory;
  return { cost: micros / steps, held: memory() - before - heldToRead };
}

/** The steps' frames in records, each in a buffer of its own. */
function* records(frames: Attack["frames"], steps: number): Iterable<Buffer> {
  const encoder = new FrameEncoder();
  for (let n = 0; n < steps; n++) {
    for (const frame of frames(n)) append(encoder, frame);
    if (encoder.length < RECORD && n < steps - 1) continue;
    const parts = encoder.take();
    const record = Buffer.allocUnsafeSlow(parts.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of parts) at += part.copy(record, at);
    yield record;
  }
}

function memory(): number {
  // Twice: what the first one finds is given back behind it.
  collect();
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

describe("what is cheap for a peer is cheap for us, however much of it comes", () => {
  for (const attack of ATTACKS) {
    it(attack.name, (t) => {
      const { name, steps } = attack;
      const few = play(attack, steps / 10);
      const many = play(attack, steps);
      const us = [few, many].map(({ cost }) => cost.toFixed(2)).join(", then ");
      t.diagnostic(`${us} us a step; ${(many.held / MB).toFixed(1)} MB held beyond what was counted`);
      assert.ok(many.cost < Math.max(CHEAP, GROWTH * few.cost), `${name}: ${us} us a step`);
      assert.ok(many.held < MOST_HELD, `${name}: ${many.held} bytes held`);
    });
  }
});
