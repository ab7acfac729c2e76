import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CloseCode, INITIAL_CREDIT, MAX_VARINT } from "@hawser/shared-protocol";
import { Random } from "@hawser/shared-protocol/testing";
import { Harness, MEMORY, NOW, OPEN, REQUEST, type Sent } from "./testing/harness.ts";

function types(frames: readonly Sent[]): string[] {
  return frames.map((frame) => frame.type);
}

/** What no peer may send, to which side, and what the session answers. */
const VIOLATIONS: readonly [string, "local" | "remote", Sent[], "subflow" | "session", number][] = [
  ["OPEN from a remote gateway", "local", [OPEN], "subflow", CloseCode.protocol],
  [
    "OPENED from a local gateway",
    "remote",
    [{ type: "opened", stream: 0, bound: { host: "", port: 0 } }],
    "subflow",
    CloseCode.protocol,
  ],
  ["PATH from a remote gateway", "local", [{ type: "path", role: "backup" }], "subflow", CloseCode.protocol],
  [
    "GONE from a remote gateway",
    "local",
    [{ type: "gone", subflow: 1, received: 0, role: "active" }],
    "subflow",
    CloseCode.protocol,
  ],
  [
    "ARRIVED beyond what was sent",
    "local",
    [{ type: "arrived", subflow: 0, received: 1e9 }],
    "subflow",
    CloseCode.protocol,
  ],
  ["WELCOME in the middle", "local", [{ type: "welcome", version: 1 }], "subflow", CloseCode.protocol],
  [
    "an ACK beyond what was sent",
    "local",
    [{ type: "ack", received: 1e9, delay: 0, time: 0 }],
    "subflow",
    CloseCode.protocol,
  ],
  [
    "DATA for a stream never opened",
    "local",
    [{ type: "data", stream: 7, offset: 0, length: 1 }],
    "subflow",
    CloseCode.protocol,
  ],
  [
    "CREDIT for a stream never opened",
    "local",
    [{ type: "credit", stream: 7, limit: 1e6 }],
    "subflow",
    CloseCode.protocol,
  ],
  [
    "DATA beyond the credit",
    "remote",
    [{ type: "data", stream: 0, offset: INITIAL_CREDIT, length: 1 }],
    "session",
    CloseCode.flowControl,
  ],
  [
    "a huge offset",
    "remote",
    [{ type: "data", stream: 0, offset: MAX_VARINT - 9, length: 1 }],
    "session",
    CloseCode.flowControl,
  ],
  [
    "two FINs",
    "remote",
    [
      { type: "fin", stream: 0, offset: 5 },
      { type: "fin", stream: 0, offset: 6 },
    ],
    "session",
    CloseCode.finalSize,
  ],
  [
    "DATA behind the FIN",
    "remote",
    [
      { type: "fin", stream: 0, offset: 5 },
      { type: "data", stream: 0, offset: 4, length: 2 },
    ],
    "session",
    CloseCode.finalSize,
  ],
  [
    "a FIN before DATA that came",
    "remote",
    [
      { type: "data", stream: 0, offset: 4, length: 2 },
      { type: "fin", stream: 0, offset: 5 },
    ],
    "session",
    CloseCode.finalSize,
  ],
  [
    "the last of all stream numbers",
    "remote",
    [{ type: "fin", stream: MAX_VARINT, offset: 5 }],
    "session",
    CloseCode.streamLimit,
  ],
];

describe("a peer that breaks the rules", () => {
  for (const [what, side, frames, scope, code] of VIOLATIONS) {
    it(`${what} closes the ${scope}`, () => {
      const harness = new Harness(side);
      harness.give(...frames);
      assert.equal(harness.session.isClosed, scope === "session");
      assert.equal([...harness.session.subflows].length, 0);
      const close = harness.sent().find((frame) => frame.type === "close");
      assert.deepEqual([close?.scope, close?.code], [scope, code]);
      // What still comes is not looked at.
      harness.give(OPEN, { type: "data", stream: 3, offset: 0, length: 100 });
      assert.equal(harness.session.streamCount, scope === "session" ? 0 : harness.session.streamCount);
    });
  }

  it("many streams: first they are refused for want of memory, then the session ends", () => {
    const harness = new Harness("remote");
    let refused = 0;
    for (let stream = 0; !harness.session.isClosed && stream < 100_000; stream++) {
      harness.give({ ...OPEN, stream });
      refused += harness.sent().filter((frame) => frame.type === "reset").length;
      assert.ok(harness.session.memory.heldToRead <= MEMORY);
    }
    assert.ok(refused > 1_000);
    assert.equal(harness.session.isClosed, true);
    assert.deepEqual(harness.session.kept, { streams: 0, resets: 0, controls: 0, queued: 0, gone: 0 });
  });

  it("stream numbers with gaps are not remembered without end", () => {
    const harness = new Harness("remote");
    for (let stream = 0; !harness.session.isClosed && stream < 1_000_000; stream += 2) {
      harness.give({ type: "reset", stream, code: 1 });
    }
    assert.equal(harness.session.isClosed, true);
  });
});

describe("frames in the wrong order, and twice", () => {
  it("DATA and FIN before OPEN are kept for it", () => {
    const harness = new Harness("remote");
    harness.give({ type: "data", stream: 0, offset: 0, length: 10 }, { type: "fin", stream: 0, offset: 10 });
    assert.deepEqual(harness.events(), []);
    harness.give(OPEN, OPEN);
    assert.deepEqual(harness.events(), ["open", "readable"]);
    assert.deepEqual([harness.session.read(0).length, harness.session.read(0).end], [10, true]);
  });

  it("what comes late for a stream that is over is dropped", () => {
    const harness = new Harness("remote");
    harness.give(OPEN, { type: "reset", stream: 0, code: 1 });
    harness.give(
      OPEN,
      { type: "data", stream: 0, offset: 0, length: 10 },
      { type: "fin", stream: 0, offset: 3 },
    );
    harness.give({ type: "credit", stream: 0, limit: 9e9 }, { type: "reset", stream: 0, code: 1 });
    assert.deepEqual([harness.session.streamCount, harness.session.isClosed], [0, false]);
    assert.deepEqual(harness.events(), ["open", "reset"]);
  });

  it("a FIN is sent once, right behind its data, and again only when its line is lost", () => {
    const harness = new Harness("local", 2);
    const id = harness.session.open(REQUEST, NOW) as number;
    harness.session.write(id, Buffer.alloc(100));
    harness.session.end(id);
    assert.deepEqual(types(harness.sent()), ["open", "data", "fin"]);
    harness.give({ type: "credit", stream: id, limit: 1e6 }, { type: "credit", stream: id, limit: 2e6 });
    assert.deepEqual(harness.sent(), []);
    harness.session.handleSubflowLost(0, NOW);
    harness.session.handleSubflowLost(1, NOW);
    harness.session.addSubflow({ id: 2, path: "p", role: "active" }, NOW);
    assert.deepEqual(types(harness.sent()), ["gone", "gone", "open", "fin", "data"]);
  });
});

describe("an OPENED whose line is lost", () => {
  it("is sent again though the stream's last byte and FIN arrived over another line", () => {
    const harness = new Harness("remote");
    const { session } = harness;
    harness.give(OPEN, { type: "fin", stream: 0, offset: 0 });
    session.handleSubflowLost(0, NOW);
    session.addSubflow({ id: 1, path: "p1", role: "active" }, NOW);
    session.accept(0, { host: "", port: 0 });
    assert.deepEqual(types(harness.sent([1])), ["opened"]);
    const other = session.addSubflow({ id: 2, path: "p0", role: "active" }, NOW);
    assert.equal(session.read(0).end, true);
    session.end(0);
    assert.deepEqual(types(harness.sent([2])), ["fin"]);
    harness.giveOn(2, { type: "ack", received: other.ledger.sent, delay: 0, time: 0 });
    session.handleSubflowLost(1, NOW);
    assert.deepEqual(types(harness.sent()), ["opened"]);
    harness.giveOn(2, { type: "ack", received: other.ledger.sent, delay: 0, time: 0 });
    assert.equal(session.streamCount, 0);
  });
});

describe("a path's policy", () => {
  it("is the latest HELLO's, also when that has none: nothing of what was before bounds its subflows", () => {
    const { session } = new Harness("remote", 0);
    const rationed = { tier: 2, metered: true, rationed: true, rate: 8_000 };
    const before = session.addSubflow({ id: 0, path: "lte", role: "overflow", policy: rationed }, NOW);
    assert.ok(before.isSpent && before.tier === 2);
    const after = session.addSubflow({ id: 1, path: "lte", role: "overflow" }, NOW);
    for (const { isSpent, tier, rules } of [before, after])
      assert.deepEqual([isSpent, tier, rules.limit, rules.policy.metered], [false, 1, undefined, false]);
  });
});

describe("any sequence of calls", () => {
  it("never throws, keeps memory bounded, and its timer is never in the past", () => {
    for (let seed = 1; seed <= 300; seed++) {
      try {
        play(new Random(seed));
      } catch (error) {
        throw new Error(`seed ${seed}`, { cause: error });
      }
    }
  });
});

function play(random: Random): void {
  const harness = new Harness(random.pick(["local", "remote"]), random.integer(1, 3));
  const { session } = harness;
  for (let step = 0; step < 200; step++) {
    harness.now += random.chance(0.9) ? random.between(0, 20) : random.between(0, 5_000);
    command(harness, random);
    if (random.chance(0.6)) harness.give(hostile(random));
    if (random.chance(0.5)) {
      session.handleTimeout(harness.now);
      harness.events();
      harness.sent();
      assert.ok(session.pollTimeout() > harness.now);
    }
    assert.ok(session.memory.heldToRead <= MEMORY);
    assert.ok(session.memory.heldToSend >= 0);
    if (session.isClosed) assert.equal(session.streamCount, 0);
  }
  session.close(CloseCode.done, "", harness.now);
  assert.deepEqual(session.memory, { heldToRead: 0, heldToSend: 0 });
  assert.deepEqual(session.kept, { streams: 0, resets: 0, controls: 0, queued: 0, gone: 0 });
}

function command({ session, now }: Harness, random: Random): void {
  const id = random.integer(0, 6);
  const commands = [
    () => session.open(REQUEST, now),
    () => session.accept(id, { host: "", port: 0 }),
    () => session.write(id, Buffer.alloc(random.integer(0, 100_000))),
    () => session.write(id, Buffer.alloc(random.integer(0, 2_000))),
    () => session.end(id),
    () => session.reset(id, 1),
    () => session.resetBehind(id, 1),
    () => session.consume(id, session.read(id).length, now),
    () => session.setPathRole(`p${random.integer(0, 2)}`, random.pick(["active", "backup", "disabled"])),
    () => session.handleSubflowLost(random.integer(0, 3), now),
    () => session.closeSubflow(random.integer(0, 3), CloseCode.done, "", now),
    () => session.addSubflow({ id: random.integer(0, 3), path: "p", role: "active" }, now),
  ];
  // Subflows come more often than they go, or there would be none most of the time.
  random.pick([...commands, commands[10] as () => unknown])();
}

/** A frame that may be right or wrong. */
function hostile(random: Random): Sent {
  const stream = random.chance(0.9) ? random.integer(0, 6) : random.integer(0, MAX_VARINT);
  const offset = random.chance(0.8) ? random.integer(0, 70_000) : random.integer(0, MAX_VARINT - 65_536);
  return random.pick<Sent>([
    { ...OPEN, stream },
    { type: "opened", stream, bound: { host: "", port: 0 } },
    { type: "data", stream, offset: random.integer(0, 60_000), length: random.integer(1, 3_000) },
    { type: "data", stream, offset, length: random.integer(1, 3_000) },
    { type: "fin", stream, offset },
    { type: "reset", stream, code: random.integer(0, 20) },
    { type: "credit", stream, limit: offset },
    { type: "ack", received: random.integer(0, 5_000), delay: random.integer(0, 1e9), time: offset },
    { type: "ping" },
    { type: "path", role: random.pick(["active", "backup", "disabled"]) },
    {
      type: "gone",
      subflow: random.chance(0.5) ? random.integer(0, 6) : offset,
      received: offset,
      role: random.pick(["active", "backup", "disabled"]),
    },
    { type: "arrived", subflow: random.integer(0, 6), received: offset },
  ]);
}
