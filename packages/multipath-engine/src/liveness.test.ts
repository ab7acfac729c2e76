import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Liveness } from "./liveness.ts";
import {
  DEAD_MIN,
  HEARTBEAT,
  HEARTBEAT_SUBFLOWS,
  PROBATION,
  SUSPECT_MAX,
  SUSPECT_MIN,
  SUSPECT_UNMEASURED,
} from "./parameters.ts";
import { PathModel } from "./path-model.ts";

/** A model of a line with this round trip. */
function measured(rtt: number): PathModel {
  const model = new PathModel();
  const state = model.handleSent(0, 0);
  const frame = {
    ...state,
    end: 1,
    size: 1,
    sentAt: 0,
    stream: -1,
    control: 0 as const,
    offset: 0,
    length: 0,
    burst: 1,
    copy: undefined,
  };
  model.handleAck({ bytes: 1, newest: frame, last: frame, burst: 1, time: rtt / 2, delay: 0 }, rtt);
  return model;
}

describe("Liveness", () => {
  it("from probation to suspect, back up with progress, and dead without", () => {
    const model = measured(30);
    const liveness = new Liveness("local", 0);
    assert.equal(liveness.state, "probation");
    liveness.handleBusy(100);
    assert.equal(liveness.handleTimeout(true, model, 100 + SUSPECT_MIN - 1), undefined);
    assert.equal(liveness.handleTimeout(true, model, 100 + SUSPECT_MIN), "suspect");
    assert.equal(liveness.handleTimeout(true, model, 101 + SUSPECT_MIN), undefined);
    liveness.handleProgress(300);
    assert.equal(liveness.state, "up");
    assert.equal(liveness.handleTimeout(true, model, 300 + SUSPECT_MIN), "suspect");
    assert.equal(liveness.handleTimeout(true, model, 300 + DEAD_MIN), "dead");
    assert.equal(liveness.handleTimeout(true, model, 10_000), undefined);
  });

  it("an idle subflow is not suspected; a new one is up after a second of acknowledgements", () => {
    const model = measured(30);
    const liveness = new Liveness("local", 0);
    assert.equal(liveness.handleTimeout(false, model, 60_000), undefined);
    liveness.handleProgress(PROBATION - 1);
    assert.equal(liveness.state, "probation");
    liveness.handleProgress(PROBATION);
    assert.equal(liveness.state, "up");
  });

  it("long round trips, and lines that were never measured, have more patience", () => {
    const far = new Liveness("local", 0);
    far.handleBusy(0);
    const model = measured(600);
    assert.equal(far.handleTimeout(true, model, 2_000), undefined);
    assert.equal(far.handleTimeout(true, model, 1.5 * 600 + 4 * 300), "suspect");
    const unknown = new Liveness("local", 0);
    unknown.handleBusy(0);
    assert.equal(unknown.handleTimeout(true, new PathModel(), SUSPECT_UNMEASURED - 1), undefined);
    assert.equal(unknown.handleTimeout(true, new PathModel(), SUSPECT_UNMEASURED), "suspect");
  });

  it("round trips that a long queue has made do not stretch the patience without end", () => {
    const liveness = new Liveness("local", 0);
    liveness.handleBusy(0);
    assert.equal(liveness.handleTimeout(true, measured(3_000), SUSPECT_MAX), "suspect");
  });

  it("a pause of our own is not held against the line, but once", () => {
    const model = measured(30);
    const liveness = new Liveness("local", 0);
    liveness.takePing(0);
    liveness.handleBusy(0);
    assert.equal(liveness.handleTimeout(true, model, 3_000), undefined);
    const again = liveness.nextTimeout(true, model);
    assert.ok(again > 3_000 && again < 3_050);
    assert.equal(liveness.handleTimeout(true, model, again), "suspect");
    assert.equal(liveness.handleTimeout(true, model, 60_000), "dead");
  });

  it("pings at once when new, then after each silence, and not again before something is acknowledged", () => {
    const model = measured(30);
    const liveness = new Liveness("local", 5);
    assert.equal(liveness.takePing(5), true);
    assert.equal(liveness.takePing(5), false);
    assert.equal(liveness.takePing(60_000), false);
    liveness.handleProgress(100);
    assert.equal(liveness.nextTimeout(false, model), 100 + HEARTBEAT.local);
    assert.equal(liveness.takePing(99 + HEARTBEAT.local), false);
    assert.equal(liveness.takePing(100 + HEARTBEAT.local), true);
    assert.equal(liveness.nextTimeout(false, model), Number.POSITIVE_INFINITY);
  });

  it("pings a new line whatever is acknowledged before: its time is to be known", () => {
    const liveness = new Liveness("remote", 5);
    liveness.handleProgress(6);
    assert.equal(liveness.takePing(7), true);
    liveness.handleProgress(8);
    assert.equal(liveness.takePing(8 + HEARTBEAT.remote), true);
  });

  it("its timer is never in the past once it was heeded", () => {
    const model = measured(30.000_7);
    for (let start = 0.1; start < 40; start += 0.37) {
      const liveness = new Liveness("remote", start);
      liveness.handleBusy(start);
      for (let state: string | undefined = "probation"; state !== "dead"; ) {
        const next = liveness.nextTimeout(true, model);
        const pings = liveness.takePing(next);
        state = liveness.handleTimeout(true, model, next);
        assert.ok(pings || state, `nothing to do at ${next}`);
        if (state !== "dead") assert.ok(liveness.nextTimeout(true, model) > next);
      }
    }
  });

  it("one of many subflows is pinged more rarely, a new one at once; and all of a path when one of them fails", () => {
    const all = { size: 1 };
    const many = new Liveness("local", 0, () => false, all);
    all.size = 4 * HEARTBEAT_SUBFLOWS;
    assert.ok(many.takePing(0));
    many.handleProgress(10);
    assert.ok(!many.takePing(10 + 4 * HEARTBEAT.local - 1));
    assert.ok(many.takePing(10 + 4 * HEARTBEAT.local));
    assert.ok(!many.handleDoubt(), "an answer is awaited already");
    many.handleProgress(10_000);
    assert.ok(many.handleDoubt());
    assert.ok(many.takePing(10_001));
  });
});
