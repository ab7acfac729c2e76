import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CloseCode, MAX_VARINT } from "@hawser/shared-protocol";
import { MAX_GONE } from "./parameters.ts";
import { Harness, NOW, OPEN, type Sent } from "./testing/harness.ts";

describe("a subflow that has ended at the local gateway", () => {
  it("is named on another, again when that one is lost, and no more once that was acknowledged", () => {
    const harness = new Harness("local", 3);
    const { session } = harness;
    session.handleSubflowLost(1, NOW);
    const [first] = harness.order();
    assert.deepEqual(harness.sent(), [{ type: "gone", subflow: 1, received: 0, role: "active" }]);
    assert.deepEqual(harness.sent(), []);
    session.handleSubflowLost(first as number, NOW);
    assert.deepEqual(harness.sent(), [
      { type: "gone", subflow: 1, received: 0, role: "active" },
      { type: "gone", subflow: first, received: 0, role: "active" },
    ]);
    const [last] = session.subflows;
    assert.ok(last);
    harness.giveOn(last.id, { type: "ack", received: last.ledger.sent, delay: 0, time: 0 });
    assert.equal(session.kept.gone, 0);
    session.addSubflow({ id: 3, path: "p", role: "active" }, NOW);
    session.handleSubflowLost(last.id, NOW);
    assert.deepEqual(harness.sent(), [
      { type: "gone", subflow: last.id, received: last.receipt.bytes, role: "active" },
    ]);
  });

  it("is closed by the remote, whose data on it goes to another at once", () => {
    const harness = new Harness("remote", 2);
    const { session } = harness;
    harness.give(OPEN);
    session.accept(0, { host: "", port: 0 });
    session.write(0, Buffer.alloc(10_000));
    harness.events();
    const data = (frames: Sent[]): number =>
      frames.reduce((sum, frame) => sum + (frame.type === "data" ? frame.length : 0), 0);
    const order = harness.order();
    const before = new Map(order.map((id) => [id, data(harness.sent([id]))]));
    const carrier = order.find((id) => before.get(id) === 10_000) as number;
    const other = order.find((id) => id !== carrier) as number;
    harness.giveOn(other, { type: "gone", subflow: carrier, received: 0, role: "active" });
    assert.deepEqual(harness.events(), ["close-subflow"]);
    assert.deepEqual(
      [...session.subflows].map(({ id }) => id),
      [other],
    );
    assert.equal(data(harness.sent([other])), 10_000);
  });

  it("has had its path's role, which the remote hears even if its own line brings nothing more", () => {
    const local = new Harness("local", 2);
    local.session.setPathRole("p1", "disabled");
    local.session.closeSubflow(1, CloseCode.done, "the path was disabled", NOW);
    const sent = local.sent([0]);
    assert.deepEqual(sent, [{ type: "gone", subflow: 1, received: 0, role: "disabled" }]);
    const remote = new Harness("remote", 2);
    const line = [...remote.session.subflows].find(({ id }) => id === 1);
    remote.give(...sent);
    assert.deepEqual(remote.events(), ["role", "close-subflow"]);
    assert.equal(line?.role, "disabled");
  });

  it("may be unknown to the remote, or be told of without end", () => {
    const harness = new Harness("remote", 2);
    for (let subflow = 2; subflow < 50_000; subflow++)
      harness.give({ type: "gone", subflow, received: 0, role: "active" });
    harness.give({ type: "gone", subflow: MAX_VARINT, received: 0, role: "active" });
    assert.deepEqual(harness.events(), []);
    assert.deepEqual([...harness.session.subflows].length, 2);
    assert.equal(harness.session.kept.gone, 0);
  });

  it("is not remembered without end where no peer acknowledges it", () => {
    const harness = new Harness("local");
    for (let id = 1; id < 5_000; id++) {
      harness.session.addSubflow({ id, path: "p", role: "active" }, NOW);
      harness.sent();
      harness.session.handleSubflowLost(id, NOW);
    }
    assert.equal(harness.session.kept.gone, MAX_GONE);
  });
});
