import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ARRIVAL_SILENCE } from "./parameters.ts";
import { Harness, NOW, OPEN, type Sent } from "./testing/harness.ts";

const OPENED = { host: "", port: 0 };

function data(frames: readonly Sent[]): number {
  return frames.reduce((sum, frame) => sum + (frame.type === "data" ? frame.length : 0), 0);
}

/** Lets time go by until `ms` after the start, with what the session has to do then. */
function wait(harness: Harness, ms: number): Sent[] {
  harness.now = NOW + ms;
  harness.session.handleTimeout(harness.now);
  return harness.sent();
}

describe("how much has come on a silent line", () => {
  it("is told on another one while a reader waits behind a gap, once for each time it says more", () => {
    const harness = new Harness("remote", 2);
    const { session } = harness;
    wait(harness, 20);
    for (const { id, ledger } of session.subflows)
      harness.giveOn(id, { type: "ack", received: ledger.sent, delay: 0, time: 0 });
    harness.giveOn(0, OPEN, { type: "data", stream: 0, offset: 0, length: 100 });
    harness.giveOn(1, { type: "data", stream: 0, offset: 1_000, length: 100 });
    const due = 20 + ARRIVAL_SILENCE;
    assert.deepEqual(wait(harness, due - 40), []);
    assert.equal(session.pollTimeout(), NOW + due);
    assert.deepEqual(wait(harness, due - 1), []);
    harness.giveOn(1, { type: "data", stream: 0, offset: 1_100, length: 100 });
    const [silent] = session.subflows;
    const report = { type: "arrived", subflow: 0, received: silent?.receipt.bytes };
    assert.deepEqual(wait(harness, due), [report]);
    assert.deepEqual(wait(harness, due + 1), []);
  });

  it("is not told on a line that is silent itself while another is not", () => {
    const harness = new Harness("remote", 3);
    for (const id of [0, 1]) harness.giveOn(id, OPEN, { type: "data", stream: 0, offset: 500, length: 100 });
    wait(harness, ARRIVAL_SILENCE - 1);
    harness.giveOn(2, { type: "data", stream: 0, offset: 1_000, length: 100 });
    harness.now = NOW + ARRIVAL_SILENCE;
    harness.session.handleTimeout(harness.now);
    const told = [0, 1, 2].map((id) => harness.sent([id]).map(({ type }) => type));
    assert.deepEqual(told, [[], [], ["arrived", "arrived"]]);
  });

  it("is told at once when the peer sends again what has come", () => {
    const harness = new Harness("remote", 2);
    harness.giveOn(0, OPEN, { type: "data", stream: 0, offset: 0, length: 100 });
    assert.deepEqual(wait(harness, ARRIVAL_SILENCE), []);
    harness.giveOn(1, { type: "data", stream: 0, offset: 0, length: 100 });
    const [silent] = harness.session.subflows;
    assert.deepEqual(harness.sent(), [{ type: "arrived", subflow: 0, received: silent?.receipt.bytes }]);
  });

  it("is not told where nobody waits", () => {
    const harness = new Harness("remote", 2);
    harness.giveOn(0, OPEN, { type: "data", stream: 0, offset: 0, length: 100 });
    harness.giveOn(1, { type: "data", stream: 0, offset: 100, length: 100 });
    assert.deepEqual(wait(harness, 10 * ARRIVAL_SILENCE), []);
  });

  it("is not sent again when the line is lost, and is no sign of its life", () => {
    const harness = new Harness("remote", 2);
    const { session } = harness;
    harness.give(OPEN);
    session.accept(0, OPENED);
    session.write(0, Buffer.alloc(10_000));
    const order = harness.order();
    const carrier = order.find((id) => data(harness.sent([id])) === 10_000) as number;
    const line = [...session.subflows].find(({ id }) => id === carrier);
    const other = order.find((id) => id !== carrier) as number;
    assert.ok(line);
    const { sent, unackedBytes } = line.ledger;
    harness.giveOn(other, { type: "arrived", subflow: carrier, received: sent - 1 });
    const kept = session.stream(0)?.sendBuffer.held ?? 0;
    assert.ok(kept > 0 && kept < 10_000, `${kept} bytes are unacknowledged`);
    assert.equal(line.unackedBytes, unackedBytes, "its own ACK is still to come");
    session.handleSubflowLost(carrier, NOW);
    assert.equal(data(harness.sent([other])), kept);
  });
});
