import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { INITIAL_CREDIT, StreamCode } from "@hawser/shared-protocol";
import {
  MAX_RUNS,
  MAX_UNACKED_FRAMES,
  RUN_BYTES,
  STREAM_BURST,
  STREAM_BYTES,
  STREAM_RATE,
} from "./limits.ts";
import { SUSPECT_UNMEASURED } from "./parameters.ts";
import { Harness, MEMORY, NOW, OPEN, REQUEST, type Sent } from "./testing/harness.ts";

/** One byte, with a gap behind it. */
function speck(n: number): Sent {
  return { type: "data", stream: 0, offset: INITIAL_CREDIT - 1 - 2 * n, length: 1 };
}

/** A peer that is authenticated, and wants to cost us much with little (SPEC.md, section 8). */
describe("a hostile peer", () => {
  it("that sends every other byte has the stream reset, before it takes more memory than there is", () => {
    const harness = new Harness("remote");
    const { session } = harness;
    harness.give(OPEN);
    for (let n = 0; session.stream(0) && n < INITIAL_CREDIT / 2; n++) {
      harness.give(speck(n));
      assert.ok(session.memory.heldToRead <= MEMORY + RUN_BYTES);
    }
    assert.deepEqual([session.streamCount, session.isClosed, session.memory.heldToRead], [0, false, 0]);
    assert.deepEqual(harness.events(), ["open", "reset"]);
    assert.deepEqual(harness.sent(), [{ type: "reset", stream: 0, code: StreamCode.overloaded }]);
  });

  it("that sends every other byte where memory is ample has it reset too: order costs time", () => {
    const harness = new Harness("remote", 1, 1e9);
    harness.give(OPEN);
    let runs = 0;
    for (; harness.session.stream(0); runs++) harness.give(speck(runs));
    assert.equal(runs, MAX_RUNS + 1);
  });

  it("with many half-closed streams holds no more of them than there is memory for", () => {
    const harness = new Harness("remote");
    const { session } = harness;
    for (let stream = 0; stream < 1_000; stream++) {
      harness.give({ ...OPEN, stream }, { type: "fin", stream, offset: 0 });
      session.read(stream);
    }
    const room = Math.floor(MEMORY / 2 / STREAM_BYTES);
    assert.equal(session.streamCount, room);
    assert.equal(harness.events().filter((type) => type === "refused").length, 1_000 - room);
  });

  it("that fills window upon window holds no more than there is, and has the oldest of them reset", () => {
    const harness = new Harness("remote");
    const { session } = harness;
    for (let stream = 0; stream < 200; stream++) {
      harness.give({ type: "data", stream, offset: 0, length: INITIAL_CREDIT });
      assert.ok(session.memory.heldToRead <= MEMORY);
    }
    assert.ok(session.streamCount > 50);
    assert.deepEqual(
      [...session.streams].map(({ id }) => id),
      Array.from({ length: session.streamCount }, (_, n) => 200 - session.streamCount + n),
    );
    assert.ok(
      harness.sent().every((frame) => frame.type === "reset" && frame.code === StreamCode.overloaded),
    );
    // Others go on meanwhile: who reads is never the one.
    harness.give({ ...OPEN, stream: 1_000 });
    for (let n = 0; n < 100; n++) {
      harness.give({ type: "data", stream: 1_000, offset: n * 30_000, length: 30_000 });
      session.consume(1_000, session.read(1_000).length, harness.now++);
      harness.give({ type: "data", stream: 300 + n, offset: 0, length: INITIAL_CREDIT });
    }
    assert.ok(session.stream(1_000));
  });

  it("that reads nothing has no frames queued for streams that are gone", () => {
    const harness = new Harness("remote");
    for (let stream = 0; stream < 1_000; stream++) {
      harness.give({ ...OPEN, stream });
      harness.session.accept(stream, { host: "", port: 0 });
      harness.give({ type: "reset", stream, code: StreamCode.reset });
    }
    assert.deepEqual(harness.session.kept, { streams: 0, resets: 0, controls: 0, queued: 0, gone: 0 });
  });

  it("that acknowledges a RESET late has it queued no more", () => {
    const harness = new Harness("remote");
    const { session } = harness;
    harness.give(OPEN);
    session.reset(0, StreamCode.refused);
    harness.sent();
    const [subflow] = session.subflows;
    harness.now += SUSPECT_UNMEASURED + 1;
    session.handleTimeout(harness.now);
    assert.equal(subflow?.liveness.state, "suspect");
    assert.deepEqual([session.kept.resets, session.kept.controls], [1, 1]);
    harness.give({ type: "ack", received: subflow.ledger.sent, delay: 0, time: 0 });
    assert.deepEqual([session.kept.resets, session.kept.controls], [0, 0]);
  });

  it("that acknowledges next to nothing is not sent more and more frames", () => {
    const harness = new Harness("remote");
    const { session } = harness;
    const [subflow] = session.subflows;
    for (let stream = 0; stream < 1.5 * MAX_UNACKED_FRAMES; stream++) {
      harness.now += 1 / STREAM_RATE;
      harness.give({ ...OPEN, stream }, { type: "ack", received: 1 + stream, delay: 0, time: 0 });
      session.accept(stream, { host: "", port: 0 });
      harness.sent([0]);
      harness.give({ type: "reset", stream, code: StreamCode.reset });
    }
    assert.equal(subflow?.ledger.length, MAX_UNACKED_FRAMES);
    harness.give({ type: "ack", received: subflow.ledger.sent, delay: 0, time: 0 });
    harness.give({ ...OPEN, stream: 1e6 });
    session.accept(1e6, { host: "", port: 0 });
    assert.deepEqual(
      harness.sent([0]).map(({ type }) => type),
      ["opened"],
    );
  });

  it("that opens stream upon stream has those beyond the rate refused; then it may go on", () => {
    const harness = new Harness("remote");
    let refused = 0;
    const flood = (from: number, to: number): void => {
      refused = 0;
      for (let stream = from; stream < to; stream++) {
        harness.give({ ...OPEN, stream }, { type: "reset", stream, code: StreamCode.reset });
        refused += harness.sent().filter(({ type }) => type === "reset").length;
      }
    };
    flood(0, STREAM_BURST);
    assert.equal(refused, 0);
    flood(STREAM_BURST, STREAM_BURST + 100);
    assert.equal(refused, 100);
    harness.now += 50 / STREAM_RATE;
    flood(STREAM_BURST + 100, STREAM_BURST + 200);
    assert.equal(refused, 50);
    assert.equal(harness.session.isClosed, false);
  });

  it("that changes a path's role over and over makes one event of it, of the last role", () => {
    const harness = new Harness("remote");
    const flips: Sent[] = [];
    for (let n = 0; n < 101; n++) flips.push({ type: "path", role: n % 2 === 0 ? "backup" : "active" });
    harness.give(...flips);
    assert.deepEqual(harness.events(), ["role"]);
    assert.equal([...harness.session.subflows][0]?.role, "backup");
    harness.give({ type: "path", role: "backup" });
    assert.deepEqual(harness.events(), []);
    harness.give({ type: "path", role: "active" });
    assert.deepEqual(harness.events(), ["role"]);
  });

  for (const end of [
    { type: "close", scope: "subflow", code: 0, reason: "" },
    { type: "gone", subflow: 0, received: 0, role: "active" },
  ] as const) {
    it(`that goes on after ${end.type} is not listened to`, () => {
      const harness = new Harness("remote", 2);
      harness.give(end, OPEN, { type: "fin", stream: 0, offset: 5 }, { type: "fin", stream: 0, offset: 6 });
      assert.deepEqual([harness.session.isClosed, harness.session.streamCount], [false, 0]);
      assert.deepEqual(harness.events(), ["close-subflow"]);
    });
  }

  it("as the remote, that sends every other byte, loses the stream alone", () => {
    const harness = new Harness("local");
    const { session } = harness;
    for (let n = 0; n < 2; n++) session.open(REQUEST, NOW);
    harness.sent();
    harness.give({ type: "opened", stream: 0, bound: { host: "", port: 0 } });
    for (let n = 0; session.stream(0) && n < INITIAL_CREDIT / 2; n++) harness.give(speck(n));
    assert.deepEqual(
      [...session.streams].map(({ id }) => id),
      [1],
    );
  });
});
