import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { StreamCode } from "@hawser/shared-protocol";
import { STREAM_BYTES } from "./limits.ts";
import { MAX_RESETTING } from "./parameters.ts";
import { Harness, NOW, OPEN } from "./testing/harness.ts";

const BOUND = { host: "192.0.2.1", port: 80 };
const RESET = { type: "reset", stream: 0, code: StreamCode.reset } as const;
const NOTHING_KEPT = { streams: 0, resets: 0, controls: 0, queued: 0, gone: 0 };

/** The remote's end of a stream whose destination is reached, with `bytes` that nobody has read yet. */
function withUnread(bytes: number): Harness {
  const harness = new Harness("remote");
  harness.give(OPEN);
  harness.session.accept(0, BOUND);
  if (bytes > 0) harness.give({ type: "data", stream: 0, offset: 0, length: bytes });
  harness.sent();
  harness.events();
  return harness;
}

describe("a stream that the peer has reset", () => {
  it("is read to its end first, then it is gone", () => {
    const harness = withUnread(60_000);
    const { session } = harness;
    harness.give(RESET);
    assert.deepEqual(harness.events(), ["resetting"]);
    const { length, end } = session.read(0);
    assert.deepEqual([length, end], [60_000, false]);
    // It was read, but the application has not taken it.
    assert.equal(session.memory.heldToRead, STREAM_BYTES + 60_000);
    session.consume(0, 59_999, NOW);
    assert.deepEqual(harness.events(), []);
    session.consume(0, 1, NOW);
    assert.deepEqual(harness.events(), ["reset"]);
    assert.deepEqual(harness.sent(), [], "neither credit nor a reset for a peer that has forgotten it");
    assert.deepEqual([session.memory.heldToRead, session.kept], [0, NOTHING_KEPT]);
  });

  it("is gone at once when all was read", () => {
    const harness = withUnread(1_000);
    harness.session.read(0);
    harness.session.consume(0, 1_000, NOW);
    harness.give(RESET);
    assert.deepEqual(harness.events(), ["reset"]);
  });

  it("sends nothing more, and its application may write into the void", () => {
    const harness = withUnread(1_000);
    const { session } = harness;
    let released = 0;
    while (session.write(0, Buffer.alloc(60_000), () => released++));
    harness.sent();
    harness.give(RESET);
    assert.deepEqual(harness.events(), ["writable", "resetting"]);
    assert.equal(session.memory.heldToSend, 0);
    assert.equal(
      session.write(0, Buffer.alloc(1_000), () => released++),
      true,
    );
    assert.equal(released, 1);
    session.end(0);
    harness.give({ type: "credit", stream: 0, limit: 1e6 });
    harness.session.handleSubflowLost(0, NOW);
    harness.session.addSubflow({ id: 1, path: "p", role: "active" }, NOW);
    assert.deepEqual(harness.sent([1]), []);
    session.consume(0, session.read(0).length, NOW);
    assert.deepEqual(harness.events(), ["reset"]);
  });

  it("takes nothing more from a peer that goes on", () => {
    const harness = withUnread(1_000);
    const { session } = harness;
    harness.give(RESET, RESET, { type: "data", stream: 0, offset: 1_000, length: 30_000 });
    harness.give({ type: "fin", stream: 0, offset: 31_000 }, OPEN);
    assert.deepEqual(harness.events(), ["resetting"]);
    assert.equal(session.read(0).length, 1_000);
    session.consume(0, 1_000, NOW);
    assert.deepEqual([harness.events(), session.kept], [["reset"], NOTHING_KEPT]);
  });

  it("gives what is in order, where a peer has given up the rest", () => {
    const harness = withUnread(1_000);
    harness.give({ type: "data", stream: 0, offset: 2_000, length: 500 }, RESET);
    assert.equal(harness.session.read(0).length, 1_000);
    harness.session.consume(0, 1_000, NOW);
    assert.deepEqual(harness.events(), ["resetting", "reset"]);
  });

  it("ends with FIN, then with the reset, if its peer had said FIN", () => {
    const harness = withUnread(1_000);
    harness.give({ type: "fin", stream: 0, offset: 1_000 }, RESET);
    const { length, end } = harness.session.read(0);
    assert.deepEqual([length, end], [1_000, true]);
    harness.session.consume(0, 1_000, NOW);
    assert.deepEqual(harness.events(), ["readable", "resetting", "reset"]);
  });

  for (const command of ["reset", "resetBehind"] as const) {
    it(`is gone without a word when its application resets it (${command})`, () => {
      const harness = withUnread(1_000);
      harness.session.write(0, Buffer.alloc(9_000));
      harness.give(RESET);
      harness.session[command](0, StreamCode.reset);
      assert.deepEqual([harness.sent(), harness.events()], [[], ["resetting"]]);
      assert.deepEqual(
        [harness.session.memory, harness.session.kept],
        [{ heldToRead: 0, heldToSend: 0 }, NOTHING_KEPT],
      );
    });
  }

  it("is gone at once when its application had reset it, too: nobody reads", () => {
    const harness = withUnread(1_000);
    harness.session.write(0, Buffer.alloc(1_000));
    harness.session.resetBehind(0, StreamCode.reset);
    harness.give(RESET);
    assert.deepEqual([harness.events(), harness.session.kept], [["reset"], NOTHING_KEPT]);
  });

  it("is gone at once when it leads nowhere yet, or when a gateway says so", () => {
    const undialled = new Harness("remote");
    undialled.give(OPEN, { type: "data", stream: 0, offset: 0, length: 1_000 });
    undialled.events();
    undialled.give(RESET);
    assert.deepEqual(undialled.events(), ["reset"]);
    for (const code of [StreamCode.notAllowed, StreamCode.overloaded, StreamCode.shutdown, 77]) {
      const harness = withUnread(1_000);
      harness.give({ ...RESET, code });
      assert.deepEqual(harness.events(), ["reset"], String(code));
    }
  });

  it("is one of a bounded number", () => {
    const harness = new Harness("remote", 1, 2 ** 30);
    for (let stream = 0; stream <= MAX_RESETTING; stream++) {
      harness.give({ ...OPEN, stream }, { type: "data", stream, offset: 0, length: 10 });
      harness.session.accept(stream, BOUND);
    }
    harness.events();
    for (let stream = 0; stream <= MAX_RESETTING; stream++) harness.give({ ...RESET, stream });
    const events = harness.events();
    assert.equal(events.length, MAX_RESETTING + 1);
    assert.deepEqual([events[0], events.at(-1)], ["resetting", "reset"]);
    // The number of those that are over leaves room again.
    harness.session.consume(0, harness.session.read(0).length, NOW);
    assert.deepEqual(harness.events(), ["reset"]);
    const stream = MAX_RESETTING + 1;
    harness.give({ ...OPEN, stream }, { type: "data", stream, offset: 0, length: 10 });
    harness.session.accept(stream, BOUND);
    harness.events();
    harness.give({ ...RESET, stream });
    assert.deepEqual(harness.events(), ["resetting"]);
  });
});
