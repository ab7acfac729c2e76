import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Random } from "@hawser/shared-protocol/testing";
import { Competition, isEarliest, type Rival, rivalOf } from "./scheduler.ts";
import { Subflow } from "./subflow.ts";

/** A subflow whose line is idle, of this round trip; its rate is what nothing is known of but that. */
function subflow(id: number, rtt: number): Subflow {
  const each = new Subflow({ id, path: `p${id}`, role: "active", side: "local" }, 0);
  each.recordControl(-1, 0, 1, 0);
  each.handleAck({ type: "ack", received: 1, delay: 0, time: (rtt / 2) * 1_000 }, rtt, () => {});
  return each;
}

const none = (): number => 0;

function rivals(lines: readonly Subflow[], now = 1_000): Rival[] {
  return lines.map((line) => rivalOf(line, now));
}

function earliest(lines: readonly Subflow[], now: number): Subflow[] {
  return lines.filter((line) => isEarliest(line, rivals(lines, now), now));
}

describe("the earliest line", () => {
  it("is the one with the shortest way, its queue included", () => {
    const near = subflow(1, 20);
    const far = subflow(2, 60);
    assert.deepEqual(earliest([far, near], 1_000), [near]);
    near.recordData(0, 0, 60_000, 60_000, false, 1_000);
    assert.deepEqual(earliest([far, near], 1_000), [far]);
  });

  it("is not one that should have answered by now", () => {
    const near = subflow(1, 20);
    const far = subflow(2, 60);
    near.recordData(0, 0, 1_000, 1_000, false, 1_000);
    assert.deepEqual(earliest([far, near], 1_010), [near]);
    assert.deepEqual(earliest([far, near], 1_090), [far]);
  });

  it("is not one that was given much since its rivals were looked at", () => {
    const [near, far] = [subflow(1, 20), subflow(2, 60)];
    const before = rivals([near, far]);
    assert.ok(isEarliest(near, before, 1_000));
    near.recordData(0, 0, 60_000, 60_000, false, 1_000);
    assert.ok(!isEarliest(near, before, 1_000));
  });

  it("is a measured one rather than an unknown", () => {
    const unknown = new Subflow({ id: 1, path: "new", role: "active", side: "local" }, 0);
    const known = subflow(2, 60);
    assert.deepEqual(earliest([unknown, known], 1_000), [known]);
    assert.deepEqual(earliest([], 0), []);
  });
});

describe("waiting for a faster line", () => {
  it("is never what all lines do", () => {
    for (let seed = 1; seed <= 300; seed++) {
      const random = new Random(seed);
      const lines = Array.from({ length: random.integer(1, 5) }, (_, id) => {
        const each = subflow(id, random.between(1, 700));
        if (random.chance(0.5)) each.recordData(0, 0, 9_000, random.integer(1, 20_000), false, 1_000);
        return each;
      });
      for (const backlog of [1, 1_500, 6_000, 100_000, Number.POSITIVE_INFINITY]) {
        const goes = lines.some((line) => {
          const competition = new Competition(line, rivals(lines), 1_000);
          return competition.allows(backlog, none) && competition.lead(backlog) === 0;
        });
        assert.ok(goes, `seed ${seed}: nobody carries ${backlog} bytes`);
      }
    }
  });

  const near = subflow(1, 10);
  const far = subflow(2, 300);
  const lines = [near, far];

  it("a little data waits, much does not, nor what has no end", () => {
    const competition = new Competition(far, rivals(lines), 1_000);
    assert.equal(competition.allows(2_000, none), false);
    assert.equal(competition.allows(10_000_000, none), true);
    assert.equal(competition.allows(Number.POSITIVE_INFINITY, none), true);
  });

  it("does not pay when others fill the faster line", () => {
    const competition = new Competition(far, rivals(lines), 1_000);
    assert.equal(
      competition.allows(2_000, () => 10_000_000),
      true,
    );
  });

  it("the fastest line never waits: there is always one that sends", () => {
    for (const backlog of [1, 1_000, 1e6, 1e9]) {
      assert.equal(new Competition(near, rivals(lines), 1_000).allows(backlog, none), true);
      assert.equal(new Competition(far, rivals([far]), 1_000).allows(backlog, none), true);
    }
  });
});
