import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { listen, open } from "./apps.ts";
import { Bulk } from "./bulk.ts";
import { line, mbit } from "./network.ts";

const PAIR = [line("a", 10, 10, 15), line("b", 10, 10, 15)];

describe("lines that change are followed", () => {
  for (const direction of ["down", "up"] as const) {
    it(`ten times the rate, then a tenth of it, ${direction}`, () => {
      const bulk = new Bulk(PAIR, direction);
      bulk.run(3_000);
      bulk.network.line("a").change({ [direction]: { rate: mbit(100) } });
      assert.ok(bulk.timeTo(0.95, 250, 5_000) <= 1_000, "the faster line is not used");
      bulk.run(3_000);
      bulk.network.line("a").change({ [direction]: { rate: mbit(10) } });
      assert.ok(bulk.timeTo(0.95, 500, 8_000) <= 3_000, "the slower line is still flooded");
      const [half] = bulk.queues(3_000, 0.5) as [number];
      assert.ok(half <= 30, `a queue of ${half} ms stays`);
      assert.ok(bulk.run(5_000) >= 0.96);
    });
  }

  it("a dip so deep that the line is left alone: its return is seen although nothing is sent on it", () => {
    const bulk = new Bulk([line("a", 50, 10, 8), line("b", 80, 20, 35)], "down");
    bulk.run(6_000);
    bulk.network.line("b").change({ down: { rate: mbit(0.5) } });
    bulk.run(30_000);
    bulk.network.line("b").change({ down: { rate: mbit(80) } });
    bulk.run(10_000);
    assert.ok(bulk.run(3_000) >= 0.96, "the line is never used again");
  });

  it("a longer way, and the short one again", () => {
    const bulk = new Bulk(PAIR, "down");
    bulk.run(3_000);
    bulk.network.line("a").change({ down: { delay: 45 }, up: { delay: 45 } });
    bulk.run(4_000);
    assert.ok(bulk.run(6_000) >= 0.96, "the longer line is not kept busy");
    bulk.network.line("a").change({ down: { delay: 15 }, up: { delay: 15 } });
    bulk.run(8_000);
    assert.ok(bulk.run(4_000) >= 0.96);
    const [half] = bulk.queues(3_000, 0.5) as [number];
    assert.ok(half <= 50, `a queue of ${half} ms stays`);
  });

  it("a line whose time varies by more than its round trip", () => {
    const bulk = new Bulk(PAIR, "down");
    bulk.run(3_000);
    bulk.network.line("a").change({ down: { jitter: 60 } });
    bulk.run(5_000);
    for (let second = 0; second < 20; second += 5) {
      const share = bulk.run(5_000);
      assert.ok(share >= 0.88, `${share} of the sum, ${second} s on: the estimate spirals down`);
    }
  });

  it("a line that loses one packet in a hundred", () => {
    const bulk = new Bulk(PAIR, "down");
    bulk.network.line("a").change({ down: { loss: 0.01 } });
    bulk.run(1_000);
    const share = bulk.run(20_000);
    assert.ok(share >= 0.85, `${share} of the sum`);
    for (const subflow of bulk.sender.session.subflows) {
      assert.equal(subflow.liveness.state, "up");
      assert.ok(subflow.model.rate < 1.2 * mbit(10), "a burst behind a loss taken for a fast line");
    }
  });

  it("a line that loses its first packets is used all the same", () => {
    for (let seed = 1; seed <= 8; seed++) {
      const bulk = new Bulk([line("a", 10, 10, 3), line("b", 10, 10, 15, { loss: 0.5 })], "down", { seed });
      bulk.run(200);
      bulk.network.line("b").change({ up: { loss: 0 }, down: { loss: 0 } });
      bulk.run(2_000);
      const share = bulk.run(1_000);
      assert.ok(share >= 0.96, `seed ${seed}: ${share} of the sum`);
    }
  });

  it("ADSL, both ways at once: neither starves the other", () => {
    // How the two directions interlock hangs on the hosts' speed: single outcomes differ by a tenth.
    const outcomes = [0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6].map(bothWays);
    const mean = (shares: readonly number[]): number => shares.reduce((a, b) => a + b, 0) / shares.length;
    const [down, up] = [outcomes.map((each) => each.down), outcomes.map((each) => each.up)];
    assert.ok(mean(down) >= 0.9 && Math.min(...down) >= 0.8, `${down.join(", ")} of the sum down`);
    assert.ok(mean(up) >= 0.9 && Math.min(...up) >= 0.8, `${up.join(", ")} of the sum up`);
  });
});

/** What a download and an upload get at once, as shares of the lines' sums. */
function bothWays(hostTurn: number): { readonly down: number; readonly up: number } {
  const bulk = new Bulk([line("a", 8.41, 0.8, 12), line("b", 8.76, 0.8, 15)], "down", { hostTurn });
  const { network } = bulk;
  listen(network.remote, () => {});
  const upload = open(network.local);
  upload.write({ bytes: 1e12 });
  bulk.run(2_000);
  const down = bulk.run(30_000);
  for (const each of network.lines) {
    const queue = (each.up?.queued ?? 0) / each.spec.up.rate;
    assert.ok(queue < 150, `${queue} ms in the uplink's queue`);
  }
  return { down, up: network.local.session.totals.sent / (32_000 * mbit(1.6)) };
}

describe("quiet sessions", () => {
  it("an hour without flows costs nothing but pings, and leaves the estimates as they were", () => {
    const bulk = new Bulk(PAIR, "down");
    const { network } = bulk;
    bulk.run(5_000);
    bulk.reader.reset();
    network.run(1_000);
    const turns = network.local.turns;
    network.run(3_600_000);
    const perSecond = (network.local.turns - turns) / 3_600;
    assert.ok(perSecond < 8, `${perSecond} turns per second`);
    for (const subflow of [...network.local.session.subflows, ...network.remote.session.subflows]) {
      assert.ok(Math.abs(subflow.model.minRtt - 30) < 1, `${subflow.model.minRtt} ms`);
    }
    for (const { model } of network.remote.session.subflows) {
      assert.ok(Math.abs(model.rate / mbit(10) - 1) < 0.1, `${model.rate} bytes per ms`);
    }
  });
});
