import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { CpuShares } from "./cpu-shares.ts";

/** Shares on the test's own clock. `span` plays what the peers use in 50 ms, after which they are judged. */
function play() {
  const readings: string[] = [];
  let [now, busy] = [0, 0];
  const shares = new CpuShares((peer, isReading) => readings.push(`${peer} ${isReading ? "on" : "off"}`), {
    now: () => now,
    utilization: () => busy,
  });
  shares.note("first", 0);
  return {
    readings,
    span: (utilization: number, used: Readonly<Record<string, number>>): void => {
      busy = utilization;
      const all = Object.entries(used);
      for (const [peer, ms] of all.slice(1)) shares.note(peer, ms);
      now += 50;
      mock.timers.tick(50);
      for (const [peer, ms] of all.slice(0, 1)) shares.note(peer, ms);
    },
  };
}

function withTimers(run: () => void): () => void {
  return () => {
    mock.timers.enable({ apis: ["setTimeout"] });
    try {
      run();
    } finally {
      mock.timers.reset();
    }
  };
}

test(
  "whoever uses more than an equal share of a saturated thread is not read until it is down to that",
  withTimers(() => {
    const { readings, span } = play();
    span(1, { flood: 40, home: 5 });
    assert.deepEqual(readings, ["flood off"]);
    // It used 40 ms where its share was 25, so it waits for 30 ms of the next span.
    mock.timers.tick(29);
    assert.equal(readings.length, 1);
    mock.timers.tick(1);
    assert.deepEqual(readings, ["flood off", "flood on"]);
  }),
);

test(
  "a thread that has time left, and a peer that is alone, hold nobody back",
  withTimers(() => {
    const { readings, span } = play();
    span(0.8, { flood: 38, home: 1 });
    span(1, { flood: 50 });
    span(1, { one: 25, other: 25 });
    assert.deepEqual(readings, []);
  }),
);

test(
  "no pause is so long that the peer's lines seem dead",
  withTimers(() => {
    const { readings, span } = play();
    const others = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`p${i}`, 0.01]));
    span(1, { flood: 49, ...others });
    assert.deepEqual(readings, ["flood off"]);
    mock.timers.tick(200);
    assert.deepEqual(readings, ["flood off", "flood on"]);
  }),
);

test("work that comes seldom is judged together with the pause before it, and no timer is set", (t) => {
  const set = t.mock.method(globalThis, "setTimeout");
  const readings: string[] = [];
  let [now, work] = [0, 0];
  let before = { now, work };
  const shares = new CpuShares((peer) => readings.push(peer), {
    now: () => now,
    utilization() {
      const share = (work - before.work) / (now - before.now || 1);
      before = { now, work };
      return share;
    },
  });
  for (let second = 0; second < 10; second++) {
    now += 1_000;
    for (const peer of ["one", "other"]) {
      work += 40;
      now += 40;
      shares.note(peer, 40);
    }
  }
  assert.deepEqual(readings, []);
  assert.equal(set.mock.callCount(), 0);
});
