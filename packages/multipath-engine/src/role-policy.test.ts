import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DEFAULT_POLICY, type PathRole } from "@hawser/shared-protocol";
import { FULL_TIME, LEAVE_TIME } from "./parameters.ts";
import { RolePolicy } from "./role-policy.ts";
import { Subflow } from "./subflow.ts";

function subflow(id: number, role: PathRole, tier = 1): Subflow {
  const policy = { ...DEFAULT_POLICY, tier };
  return new Subflow({ id, path: `p${id}`, role, side: "local", policy }, 0);
}

/** Nothing comes back on it any more. */
function suspect(line: Subflow): void {
  line.recordData(0, 0, 1_000, 1_000, false, 0);
  line.liveness.handleTimeout(true, line.model, 1_500);
}

const active = subflow(1, "active");
const second = subflow(2, "overflow", 2);
const first = subflow(3, "overflow", 1);
const backup = subflow(4, "backup");
const disabled = subflow(5, "disabled");
const ALL = [disabled, backup, second, first, active];

/** Takes the time in, nothing having been acknowledged since the start. */
function handleTime(policy: RolePolicy, all: readonly Subflow[], now: number, acked = 0): void {
  policy.handleTime(policy.choose(all, all), acked, now);
}

/** Data waits, or does not, for `ms`; in turns of 10 ms. */
function pass(
  policy: RolePolicy,
  all: readonly Subflow[],
  waiting: boolean,
  from: number,
  ms: number,
): number {
  for (let now = from; now < from + ms; now += 10) {
    handleTime(policy, all, now);
    policy.noteWaiting(waiting);
  }
  handleTime(policy, all, from + ms);
  return from + ms;
}

describe("which lines carry data", () => {
  it("the active ones; overflow without them, tier by tier; backups without any of these; disabled ones never", () => {
    const policy = new RolePolicy();
    assert.deepEqual(policy.usable(ALL), [active]);
    assert.deepEqual(policy.usable([disabled, backup, second, first]), [first]);
    assert.deepEqual(policy.usable([disabled, backup, second]), [second]);
    assert.deepEqual(policy.usable([disabled, backup]), [backup]);
    assert.deepEqual(policy.usable([disabled]), []);
  });

  it("a new line not before its round trip is known, whatever its role, while that of another is", () => {
    const policy = new RolePolicy();
    const known = subflow(8, "backup");
    known.recordControl(-1, 0, 1, 0);
    known.handleAck({ type: "ack", received: 1, delay: 0, time: 15_000 }, 30, () => {});
    assert.deepEqual(policy.usable([active, known]), [known]);
    assert.deepEqual(policy.usable([active]), [active]);
    const told = subflow(9, "active");
    const report = { outstanding: 0, unsent: 0, segment: 1_448, hasHole: false, minRtt: 600, queue: 0 };
    told.handleLine(report, 0);
    assert.deepEqual(policy.usable([known, told]), [told]);
  });

  it("a suspect line does not, nor one that has sent all it may: the next one steps in at once", () => {
    const policy = new RolePolicy();
    const dying = subflow(6, "active");
    suspect(dying);
    assert.deepEqual(policy.usable([dying, backup]), [backup]);
    const spent = subflow(7, "active");
    spent.allowance = 0;
    assert.deepEqual(policy.usable([spent, first, backup]), [first]);
  });
});

describe("an overflow line is used", () => {
  it("when data has waited for long enough, one tier after the other, and not sooner", () => {
    const policy = new RolePolicy();
    let now = pass(policy, ALL, true, 0, FULL_TIME - 20);
    assert.deepEqual(policy.usable(ALL), [active]);
    now = pass(policy, ALL, true, now, 40);
    assert.deepEqual(policy.usable(ALL), [first, active]);
    pass(policy, ALL, true, now, FULL_TIME + 20);
    assert.deepEqual(policy.usable(ALL), [second, first, active]);
  });

  it("despite a moment without data, and not for a load that comes and goes", () => {
    const policy = new RolePolicy();
    let now = pass(policy, ALL, true, 0, FULL_TIME / 2);
    now = pass(policy, ALL, false, now, FULL_TIME * 0.04);
    now = pass(policy, ALL, true, now, FULL_TIME / 2);
    assert.deepEqual(policy.usable(ALL), [first, active]);
    const bursty = new RolePolicy();
    for (let n = 0, at = 0; n < 20; n++) {
      at = pass(bursty, ALL, true, at, FULL_TIME * 0.8);
      at = pass(bursty, ALL, false, at, FULL_TIME * 0.2);
      assert.deepEqual(bursty.usable(ALL), [active]);
    }
  });

  it("and left when the lower tiers could have carried it all for long enough", () => {
    const policy = new RolePolicy();
    const now = pass(policy, ALL, true, 0, FULL_TIME + 20);
    pass(policy, ALL, false, now, LEAVE_TIME - 100);
    assert.deepEqual(policy.usable(ALL), [first, active]);
    pass(policy, ALL, false, now + LEAVE_TIME - 100, 700);
    assert.deepEqual(policy.usable(ALL), [active]);
  });

  it("and left no later because a line that has carried much is back in the midst of it", () => {
    const policy = new RolePolicy();
    let now = pass(policy, ALL, true, 0, FULL_TIME + 20);
    const back = subflow(10, "active");
    back.recordData(0, 0, 10_000_000, 10_000_000, false, 0);
    back.handleAck({ type: "ack", received: 10_000_000, delay: 0, time: 0 }, 1, () => {});
    policy.noteWaiting(false);
    for (const end = now + LEAVE_TIME + 600; now < end; now += 10)
      handleTime(policy, now > end - LEAVE_TIME / 2 ? [...ALL, back] : ALL, now);
    assert.deepEqual(policy.usable(ALL), [active]);
  });

  it("a long pause of the process counts for nothing", () => {
    const policy = new RolePolicy();
    handleTime(policy, ALL, 0);
    policy.noteWaiting(true);
    handleTime(policy, ALL, 10 * FULL_TIME);
    assert.deepEqual(policy.usable(ALL), [active]);
  });
});
