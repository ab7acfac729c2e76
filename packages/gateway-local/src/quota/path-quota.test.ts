import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PathQuota } from "./path-quota.ts";

const MB = 1e6;
const CONFIG = { bytes: 100 * MB, resetDay: 1, whenReached: "backup", count: "both" } as const;
const NOW = new Date(2026, 10, 21);
const NOTHING = { sent: 0, received: 0 };

describe("a path's quota", () => {
  it("counts both directions, or one; tells at 80 %, at its end, and when it begins anew", () => {
    const quota = new PathQuota(CONFIG, 1, undefined, { sent: 7 * MB, received: 0 }, NOW);
    assert.equal(quota.left, 100 * MB);
    const at = (sent: number, received: number, now = NOW) =>
      quota.handleLine({ sent: sent * MB, received: received * MB }, now);
    assert.deepEqual(at(17, 60), []);
    assert.equal(quota.status().usedBytes, 70 * MB);
    assert.deepEqual(at(27, 60), ["warned"]);
    assert.deepEqual(at(27, 79.5), []);
    assert.deepEqual(at(27, 79.99), ["reached"]);
    assert.equal(quota.isReached, true);
    assert.equal(quota.endReason, "its quota of 100 MB is used up until 2026-12-01");
    assert.deepEqual(quota.allowance, {
      send: Number.POSITIVE_INFINITY,
      receive: Number.POSITIVE_INFINITY,
    });
    assert.deepEqual(at(27, 81, new Date(2026, 11, 1)), ["reset"]);
    assert.equal(quota.isReached, false);
    const down = new PathQuota({ ...CONFIG, count: "down" }, 1, undefined, NOTHING, NOW);
    down.handleLine({ sent: 50 * MB, received: 3 * MB }, NOW);
    assert.equal(down.status().usedBytes, 3 * MB);
    assert.equal(down.allowance.send, Number.POSITIVE_INFINITY);
  });

  it("goes on from its stored count, and is reached at once if it was reached before", () => {
    const stored = { period: "2026-11-01", used: 99.99 * MB };
    assert.equal(new PathQuota(CONFIG, 1, stored, NOTHING, NOW).isReached, true);
    const old = { period: "2026-10-01", used: 99.99 * MB };
    assert.equal(new PathQuota(CONFIG, 1, old, NOTHING, NOW).isReached, false);
  });

  it("is not overrun, however both sides use their allowance, and can be used to its end", () => {
    for (const up of [0, 0.5, 1]) {
      const quota = new PathQuota(CONFIG, 4, undefined, NOTHING, NOW);
      let sent = 0;
      let received = 0;
      let rounds = 0;
      for (; !quota.isReached && rounds < 200; rounds++) {
        // The side uses all of its allowance, with 10 % of packet headers on top.
        sent += up * 1.1 * quota.allowance.send;
        received += 1.1 * quota.allowance.receive;
        quota.handleLine({ sent, received }, NOW);
      }
      assert.ok(sent + received <= CONFIG.bytes, `${sent + received} bytes`);
      assert.ok(sent + received > 0.995 * CONFIG.bytes && rounds < 50, `${sent + received} bytes, ${rounds}`);
    }
  });
});
