import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import { Subflow, type TierChange } from "@hawser/multipath-engine";
import type { PathRole } from "@hawser/shared-protocol";
import { PathRecord } from "./path-record.ts";

const LEAST_MS = 100;
const QUEUE_MS = 200;
const SIZE = 1_000;
const NO_BYTES = { sent: 0, received: 0 };

test("a line that only answers PINGs shows no queue that has gone long ago", (context) => {
  const subflow = new Subflow({ id: 0, path: "adsl1", role: "active", side: "remote" }, 0);
  const path = new PathRecord("adsl1", "active", "configured");
  path.handleJoined(subflow, { sent: 0, received: 0 });
  let now = 0;
  context.mock.method(performance, "now", () => now);
  for (let n = 0; n < 20; n++) {
    const rtt = LEAST_MS + (n === 0 ? 0 : QUEUE_MS);
    subflow.recordData(0, n * SIZE, SIZE - 8, SIZE, false, now);
    now += rtt;
    const time = (now - LEAST_MS / 2) * 1_000;
    subflow.handleAck({ type: "ack", received: (n + 1) * SIZE, delay: 0, time }, now, () => {});
  }
  const loadedUntil = now;
  const shown = (): (number | null)[] => {
    const { now: shown = null, least = null } = path.roundTrip ?? {};
    return [shown, least];
  };
  now = loadedUntil + 1_000;
  const [loaded, least] = shown();
  assert.equal(least, LEAST_MS);
  assert.ok((loaded ?? 0) > LEAST_MS + 0.8 * QUEUE_MS, `${loaded} ms`);
  // The line lives: the system has what was sent acknowledged. That is no measurement of its round trip.
  now = loadedUntil + 5_500;
  subflow.liveness.handleProgress(now);
  assert.deepEqual(shown(), [LEAST_MS, LEAST_MS]);
  // While something is under way, or comes, the last known is the best that there is.
  path.sample(now);
  subflow.receipt.handleReceived(100_000, now);
  path.sample((now += 1_000));
  assert.deepEqual(shown(), [loaded, LEAST_MS]);
  for (let second = 0; second < 5; second++) path.sample((now += 1_000));
  assert.deepEqual(shown(), [LEAST_MS, LEAST_MS]);
  subflow.recordData(0, 20 * SIZE, SIZE - 8, SIZE, false, now);
  assert.deepEqual(shown(), [loaded, LEAST_MS]);
});

describe("a path's record", () => {
  /** What the observer was told, in words. */
  function observed(role: PathRole = "active"): { path: PathRecord; told: string[] } {
    const told: string[] = [];
    const path = new PathRecord("lte", role, "configured", {
      onState: ({ state, reason }, before) => told.push(`${before} -> ${state}: ${reason}`),
      onRole: ({ role: given, roleReason }) => told.push(`${given}, ${roleReason}`),
      onUse: (_, { top }) => told.push(`tier ${top} is used`),
      onRest: ({ restsUntil }) => told.push(restsUntil ? "rests" : "rests no more"),
      onSubflowLost: (_, reason) => told.push(`lost one: ${reason}`),
    });
    return { path, told };
  }

  function subflowOf(id: number): Subflow {
    return new Subflow({ id, path: "lte", role: "active", side: "local" }, 0);
  }

  it("has the best of its subflows' states, and tells each change once", () => {
    const { path, told } = observed();
    const [first, second] = [subflowOf(0), subflowOf(1)];
    assert.equal(path.state, "connecting");
    path.handleJoined(first, NO_BYTES);
    path.handleJoined(second, NO_BYTES);
    assert.deepEqual(told.splice(0), ["connecting -> probation: connected, on trial"]);
    for (const now of [1_000, 5_000]) first.liveness.handleProgress(now);
    path.noteState();
    path.noteState();
    assert.deepEqual(told.splice(0), ["probation -> up: ready for data"]);
    // The second one is still on trial.
    path.handleLost(first, "reset", false);
    assert.deepEqual(told.splice(0), ["up -> probation: connected, on trial", "lost one: reset"]);
    path.handleLost(second, "timed out", false);
    assert.deepEqual(told.splice(0), ["probation -> down: timed out"]);
    path.handleFailure("no route");
    assert.deepEqual([path.state, path.reason, told], ["down", "no route", []]);
  });

  it("counts on what lost subflows carried, frames and packets apart", () => {
    const { path } = observed();
    const [first, second] = [subflowOf(0), subflowOf(1)];
    first.recordData(0, 0, 900, 1_000, true, 0);
    first.reinjectedBytes = 900;
    first.receipt.handleReceived(300, 0);
    path.handleJoined(first, { sent: 1_100, received: 400 });
    second.recordData(0, 900, 40, 50, false, 0);
    path.handleJoined(second, { sent: 60, received: 7 });
    const all = [{ sent: 1_050, received: 300, reinjected: 900 }, { sent: 1_160, received: 407 }, 1_050];
    assert.deepEqual([path.frameBytes, path.lineBytes, path.unackedBytes], all);
    path.handleLost(first, "reset", false);
    // A second end of the same subflow is none.
    path.handleLost(first, "reset", false);
    assert.deepEqual([path.frameBytes, path.lineBytes, path.unackedBytes], [all[0], all[1], 50]);
  });

  it("is dialled anew, and not down, when it is no longer disabled", () => {
    const { path, told } = observed("disabled");
    path.handleFailure("its path was disabled");
    told.length = 0;
    path.setRole("backup", "set by an operator");
    path.setRole("backup", "told twice");
    assert.deepEqual(told, ["backup, set by an operator", "disabled -> connecting: being dialled"]);
    assert.equal(path.lastError, undefined);
  });

  it("tells of the use of tiers unless it is disabled", () => {
    const change: TierChange = { top: 2, before: 1, reason: "full" };
    const { path, told } = observed("overflow");
    path.noteUse(change);
    path.setRole("disabled", "set");
    path.noteUse(change);
    assert.equal(told.filter((each) => each === "tier 2 is used").length, 1);
  });

  it("rests when all of its subflows do, and no longer when one more joins", () => {
    const { path, told } = observed();
    const [first, second] = [subflowOf(0), subflowOf(1)];
    for (const each of [first, second]) path.handleJoined(each, NO_BYTES);
    told.length = 0;
    first.holdUpAccount.rest(performance.now());
    path.noteRest();
    assert.deepEqual([path.restsUntil, told], [undefined, []]);
    second.holdUpAccount.rest(performance.now());
    path.noteRest();
    path.noteRest();
    assert.deepEqual(told.splice(0), ["rests"]);
    assert.ok((path.restsUntil?.getTime() ?? 0) > Date.now());
    path.handleJoined(subflowOf(2), NO_BYTES);
    assert.deepEqual([told, path.restsUntil], [["rests no more"], undefined]);
  });
});
