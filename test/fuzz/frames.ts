import { content } from "@hawser/multipath-engine/testing";
import {
  CloseScope,
  type Endpoint,
  FLOW_KINDS,
  type Frame,
  FrameEncoder,
  MAX_PATH_NAME,
  MAX_PAYLOAD,
  MAX_VARINT,
  PATH_ROLES,
  SESSION_ID_LENGTH,
} from "@hawser/shared-protocol";
import type { Random } from "@hawser/shared-protocol/testing";
import { MAX_HOST, MAX_REASON } from "@hawser/shared-protocol/testing";

export interface DataFrame {
  readonly type: "data";
  readonly stream: number;
  readonly offset: number;
  /** The payload is so many bytes of the content of number `stream`, at `offset`. */
  readonly length: number;
}
export type AnyFrame = Frame | DataFrame;

/** Where one length of integer ends and the next begins, and the ends of what is allowed. */
const EDGES = [0, 1, 63, 64, 16_383, 16_384, 65_535, 65_536, 2 ** 30 - 1, 2 ** 30, 2 ** 32, MAX_VARINT];

/** An integer of any size, often at an edge. */
export function anyInteger(random: Random): number {
  if (random.chance(0.3)) return random.pick(EDGES);
  return Math.floor(2 ** random.between(0, 53)) - 1;
}

function anyText(random: Random, limit: number): string {
  const bytes = random.chance(0.1) ? limit : random.integer(0, 20);
  const unit = random.pick(["a", "\0", "\u001b[", "é"]);
  return unit.repeat(Math.floor(bytes / Buffer.byteLength(unit)));
}

function anyEndpoint(random: Random): Endpoint {
  return { host: anyText(random, MAX_HOST), port: random.integer(0, 65_535) };
}

function anySize(random: Random): number {
  return random.chance(0.02) ? random.integer(1, MAX_PAYLOAD) : random.integer(1, 40);
}

const MAKERS: readonly ((random: Random) => AnyFrame)[] = [
  (random) => ({
    type: "hello",
    version: anyInteger(random),
    session: Uint8Array.from({ length: SESSION_ID_LENGTH }, () => random.integer(0, 255)),
    resume: random.chance(0.5),
    path: anyText(random, MAX_PATH_NAME),
    index: anyInteger(random),
    role: random.pick(PATH_ROLES),
    subflow: anyInteger(random),
  }),
  (random) => ({ type: "welcome", version: anyInteger(random) }),
  (random) => ({
    type: "close",
    scope: random.pick(Object.keys(CloseScope) as (keyof typeof CloseScope)[]),
    code: anyInteger(random),
    reason: anyText(random, MAX_REASON),
  }),
  () => ({ type: "ping" }),
  (random) => ({
    type: "ack",
    received: anyInteger(random),
    delay: anyInteger(random),
    time: anyInteger(random),
  }),
  (random) => ({ type: "path", role: random.pick(PATH_ROLES) }),
  (random) => ({
    type: "gone",
    subflow: anyInteger(random),
    received: anyInteger(random),
    role: random.pick(PATH_ROLES),
  }),
  (random) => ({ type: "arrived", subflow: anyInteger(random), received: anyInteger(random) }),
  (random) => ({
    type: "open",
    stream: anyInteger(random),
    kind: random.pick(FLOW_KINDS),
    destination: anyEndpoint(random),
    source: anyEndpoint(random),
  }),
  (random) => ({ type: "opened", stream: anyInteger(random), bound: anyEndpoint(random) }),
  (random) => ({
    type: "data",
    stream: anyInteger(random),
    offset: Math.min(anyInteger(random), MAX_VARINT - MAX_PAYLOAD),
    length: anySize(random),
  }),
  (random) => ({ type: "fin", stream: anyInteger(random), offset: anyInteger(random) }),
  (random) => ({ type: "reset", stream: anyInteger(random), code: anyInteger(random) }),
  (random) => ({ type: "credit", stream: anyInteger(random), limit: anyInteger(random) }),
];

/** Any frame that can be written, of any values. */
export function anyFrame(random: Random): AnyFrame {
  return random.pick(MAKERS)(random);
}

/** The frames' bytes. */
export function encode(frames: readonly AnyFrame[]): Buffer {
  const encoder = new FrameEncoder();
  for (const frame of frames) append(encoder, frame);
  return Buffer.concat(encoder.take());
}

export function append(encoder: FrameEncoder, frame: AnyFrame): void {
  if (frame.type !== "data") encoder.append(frame);
  else encoder.appendData(frame.stream, frame.offset, content(frame.stream, frame.offset, frame.length));
}

/** Changes the bytes here and there, as an attacker or a bug would. */
export function mutate(bytes: Buffer, random: Random): Buffer {
  let mutated = bytes;
  for (let n = random.integer(1, 4); n > 0 && mutated.length > 0; n--) {
    const at = random.integer(0, mutated.length - 1);
    const to = Math.min(mutated.length, at + random.integer(1, 16));
    const [before, part, behind] = [mutated.subarray(0, at), mutated.subarray(at, to), mutated.subarray(to)];
    mutated = random.pick([
      () => Buffer.concat([before, behind]),
      () => Buffer.concat([before, part, part, behind]),
      () => Buffer.concat([before, Buffer.from([random.integer(0, 255)]), mutated.subarray(at)]),
      () =>
        Buffer.concat([
          before,
          Buffer.from([random.pick([0, 0x3f, 0x40, 0x80, 0xc0, 0xff])]),
          mutated.subarray(at + 1),
        ]),
      () =>
        Buffer.concat([
          before,
          Buffer.from([(mutated[at] as number) ^ (1 << random.integer(0, 7))]),
          mutated.subarray(at + 1),
        ]),
      () => before,
    ])();
  }
  return mutated;
}

/** Cuts bytes into pieces, each in a buffer of its own as TLS records are. */
export function cut(bytes: Buffer, random: Random, most = 4): Buffer[] {
  const cuts = [0, bytes.length];
  for (let n = random.integer(0, most - 1); n > 0; n--) cuts.push(random.integer(0, bytes.length));
  cuts.sort((a, b) => a - b);
  const pieces: Buffer[] = [];
  for (let i = 1; i < cuts.length; i++) {
    const piece = bytes.subarray(cuts[i - 1], cuts[i]);
    if (piece.length > 0) pieces.push(Buffer.copyBytesFrom(piece) as unknown as Buffer);
  }
  return pieces;
}
