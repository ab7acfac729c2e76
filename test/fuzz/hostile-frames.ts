import { FLOW_KINDS, INITIAL_CREDIT, MAX_PAYLOAD, PATH_ROLES } from "@hawser/shared-protocol";
import type { Random } from "@hawser/shared-protocol/testing";
import { type AnyFrame, anyFrame, anyInteger } from "./frames.ts";

/** What the peer knows of the session that it attacks. */
export interface Knowledge {
  readonly side: "local" | "remote";
  /** The session's credit for a stream, and how far the peer has written in order. */
  limitOf(stream: number): number;
  frontierOf(stream: number): number;
  /** Bytes that the session has sent on the subflow. */
  sentOn(subflow: number): number;
  /** The next stream that nobody has named. */
  nextStream(): number;
  /** A stream that exists, or did. */
  someStream(): number;
}

/** One frame of an authenticated peer: one that the rules allow, with numbers chosen to hurt, or, seldom, any frame. */
export function hostileFrame(random: Random, subflow: number, known: Knowledge, breach: number): AnyFrame {
  if (random.chance(breach)) return anyFrame(random);
  const make = known.side === "remote" ? random.pick(TO_REMOTE) : random.pick(TO_BOTH);
  return make(random, subflow, known);
}

type Maker = (random: Random, subflow: number, known: Knowledge) => AnyFrame;

const endpoint = { host: "192.0.2.1", port: 80 };

/** Anywhere within the credit: where the next byte is wanted, behind a gap, over what came. */
const data: Maker = (random, _subflow, known) => {
  const stream = known.someStream();
  const limit = known.limitOf(stream);
  const frontier = known.frontierOf(stream);
  const least = Math.max(0, frontier - 1_000);
  const offset = random.chance(0.5) ? frontier : random.integer(least, Math.max(least, limit - 1));
  const room = Math.max(1, Math.min(limit - offset, MAX_PAYLOAD));
  const length = random.chance(0.1) ? random.integer(1, room) : random.integer(1, Math.min(room, 64));
  return { type: "data", stream, offset, length };
};

const ack: Maker = (random, subflow, known) => {
  const sent = known.sentOn(subflow);
  return {
    type: "ack",
    received: random.chance(0.6) ? sent : random.integer(0, sent),
    delay: random.chance(0.9) ? random.integer(0, 20_000) : anyInteger(random),
    time: anyInteger(random),
  };
};

const fin: Maker = (random, _subflow, known) => {
  const stream = known.someStream();
  // Now and then too early, behind which more DATA is a breach.
  const offset = random.chance(0.99) ? known.limitOf(stream) : known.frontierOf(stream);
  return { type: "fin", stream, offset };
};

const TO_BOTH: readonly Maker[] = [
  data,
  data,
  data,
  data,
  ack,
  ack,
  () => ({ type: "ping" }),
  fin,
  (random, _subflow, known) => ({ type: "reset", stream: known.someStream(), code: random.integer(0, 20) }),
  (random, _subflow, known) => ({
    type: "credit",
    stream: known.someStream(),
    limit: random.chance(0.8) ? random.integer(0, 4 * INITIAL_CREDIT) : anyInteger(random),
  }),
  (random, subflow, known) => {
    const other = Math.max(0, subflow - random.integer(0, 3));
    return { type: "arrived", subflow: other, received: random.integer(0, known.sentOn(other)) };
  },
  (_random, _subflow, known) => ({ type: "opened", stream: known.someStream(), bound: endpoint }),
];

const open: Maker = (random, _subflow, known) => ({
  type: "open",
  stream: random.chance(0.8) ? known.nextStream() : known.someStream(),
  kind: random.pick(FLOW_KINDS),
  destination: endpoint,
  source: endpoint,
});

const TO_REMOTE: readonly Maker[] = [
  ...TO_BOTH.slice(0, -1),
  open,
  open,
  (random) => ({ type: "path", role: random.pick(PATH_ROLES) }),
  (random, subflow, known) => ({
    type: "gone",
    subflow: random.chance(0.97) ? subflow + 1_000 : subflow,
    received: random.integer(0, known.sentOn(subflow)),
    role: random.pick(PATH_ROLES),
  }),
  (random, _subflow, known) => ({
    type: "reset",
    stream: random.chance(0.9) ? known.nextStream() : random.integer(0, 1_000),
    code: 1,
  }),
];

/** Payload of a flood at most. */
const FLOOD_BYTES = 500_000;

/** One kind of frame over and over, with numbers that go on: what is cheap to send and perhaps dear to take. */
export function flood(random: Random, subflow: number, known: Knowledge): AnyFrame[] {
  const stream = known.someStream();
  const from = known.frontierOf(stream);
  const limit = known.limitOf(stream);
  const room = Math.max(1, limit - from);
  const floods: readonly ((n: number) => AnyFrame)[] = [
    () => ({ type: "ping" }),
    (n) => ({ type: "data", stream, offset: from + (n % room), length: 1 }),
    (n) => ({ type: "data", stream, offset: from + ((2 * n + 1) % room), length: 1 }),
    (n) => ({ type: "data", stream, offset: limit - 1 - ((2 * n) % room), length: 1 }),
    () => ({ type: "data", stream, offset: from, length: Math.min(room, MAX_PAYLOAD) }),
    (n) => ({ type: "credit", stream, limit: INITIAL_CREDIT + n }),
    (n) => ({ type: "ack", received: Math.min(n, known.sentOn(subflow)), delay: 0, time: n }),
    (n) => ({ type: "arrived", subflow, received: Math.min(n, known.sentOn(subflow)) }),
    () => ({ type: "fin", stream, offset: limit }),
    ...(known.side === "remote"
      ? ([
          () => open(random, subflow, known),
          () => ({ type: "reset", stream: known.nextStream(), code: 1 }),
          (n) => ({ type: "path", role: PATH_ROLES[n % 3] as "active" }),
          (n) => ({ type: "gone", subflow: 1_000 + n, received: n, role: "active" }),
        ] satisfies ((n: number) => AnyFrame)[])
      : []),
  ];
  const make = random.pick(floods);
  const frames: AnyFrame[] = [];
  let bytes = 0;
  for (let n = random.integer(50, 4_000); n > 0 && bytes < FLOOD_BYTES; n--) {
    const frame = make(frames.length);
    frames.push(frame);
    if (frame.type === "data") bytes += frame.length;
  }
  return frames;
}
