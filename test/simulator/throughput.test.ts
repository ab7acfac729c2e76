import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Bulk, type Direction } from "./bulk.ts";
import { type Line, type LineSpec, line } from "./network.ts";

/** What one bulk flow must get out of its lines, and how soon. */
interface Expectation {
  readonly lines: readonly LineSpec[];
  /** Where the uplink is thin a chunk of four segments counts: the queues allowed going up. */
  readonly queueUp?: readonly [number, number];
  /** Share of the lines' sum after the first second, or after `settle` milliseconds. */
  readonly share: number;
  readonly settle?: number;
  /** Half of the time, and 95 % of it, no line's queue is longer, milliseconds. */
  readonly queue: readonly [number, number];
  /** Round trips of the slowest line until 90 % of the sum are reached. */
  readonly start?: number;
  readonly ms?: number;
}

const ADSL = [line("a", 8.41, 0.8, 12), line("b", 8.76, 0.8, 15)];

const EXPECTATIONS: Record<string, Expectation> = {
  "two ADSL lines": { lines: ADSL, share: 0.98, queue: [10, 20], queueUp: [50, 80] },
  "50 + 50 Mbit/s": { lines: [line("a", 50, 50, 7), line("b", 50, 50, 7)], share: 0.98, queue: [20, 25] },
  "round trips of 7 and 75 ms": {
    lines: [line("a", 50, 50, 3.5), line("b", 50, 50, 37.5)],
    share: 0.97,
    queue: [20, 40],
    start: 12,
  },
  "100 + 10 Mbit/s": { lines: [line("a", 100, 20, 8), line("b", 10, 2, 12)], share: 0.98, queue: [20, 30] },
  "DSL and LTE": {
    lines: [line("a", 50, 10, 8), line("b", 80, 30, 35, { jitter: 10 })],
    share: 0.97,
    queue: [25, 50],
    start: 14,
  },
  "25 Mbit/s and a thin line, which is slow to show how thin": {
    lines: [line("a", 25, 5, 1.5), line("b", 1.3, 1.3, 1)],
    share: 0.97,
    settle: 2_000,
    queue: [15, 45],
    start: 300,
  },
  "a satellite line": {
    lines: [line("a", 20, 5, 7.5), line("b", 50, 10, 150)],
    share: 0.97,
    settle: 6_000,
    start: 14,
    queue: [90, 120],
  },
  "three lines": {
    lines: [line("a", 16, 1, 12), line("b", 30, 5, 25), line("c", 100, 40, 6)],
    share: 0.97,
    queue: [12, 25],
    queueUp: [20, 65],
    start: 14,
  },
  "two lines of 1 Gbit/s, hosts slower than the lines": {
    lines: [line("a", 1_000, 1_000, 0.1), line("b", 1_000, 1_000, 0.1)],
    share: 0.95,
    settle: 300,
    queue: [10, 12],
    start: 1_000,
    ms: 500,
  },
};

describe("one bulk flow gets what its lines carry, and their queues stay short", () => {
  for (const [name, expected] of Object.entries(EXPECTATIONS)) {
    for (const direction of ["down", "up"] as const) {
      it(`${name}, ${direction}`, () => check(expected, direction));
    }
  }
});

describe("a long line beside a short one", () => {
  for (const direction of ["down", "up"] as const) {
    it(`has its first bytes under way before half of its round trip is over, ${direction}`, () => {
      const bulk = new Bulk([line("a", 20, 5, 15), line("b", 50, 5, 300)], direction);
      const [, far] = bulk.network.lines as [Line, Line];
      bulk.run(300);
      // Idle it has a PING under way, nine bytes.
      assert.ok(bulk.pipe(far).outstanding > 8_000, `${bulk.pipe(far).outstanding} bytes`);
    });
  }
});

describe("a slow line that loses segments", () => {
  it("costs the reader of the fast one no second: it works ahead", () => {
    const bulk = new Bulk([line("a", 20, 5, 15), line("b", 50, 5, 300, { loss: 0.001 })], "down");
    bulk.run(1_000);
    for (let second = 1; second < 20; second++) {
      const share = (bulk.run(1_000) * (20 + 50)) / 20;
      assert.ok(share >= 0.98, `${share} of the fast line alone in second ${second}`);
    }
  });
});

describe("systems that tell nothing of their lines", () => {
  it("are served by the session's own acknowledgements", () => {
    const bulk = new Bulk(ADSL, "down", { watched: false });
    bulk.run(1_000);
    const share = bulk.run(10_000);
    assert.ok(share >= 0.97, `${share} of the sum`);
  });
});

function check(expected: Expectation, direction: Direction): void {
  const { lines, share, settle = 1_000, queue, start = 10, ms = 12_000 } = expected;
  const rtt = Math.max(...lines.map((each) => each.up.delay + each.down.delay));
  const bulk = new Bulk(lines, direction);
  const startedAt = bulk.network.clock.now;
  const window = Math.max(20, rtt);
  const reached = bulk.timeTo(0.9, window, 10_000);
  assert.ok(
    reached <= Math.max(start * rtt, 2 * window),
    `90 % after ${reached} ms, ${reached / rtt} round trips`,
  );
  bulk.run(Math.max(1, startedAt + settle - bulk.network.clock.now));
  const goodput = bulk.run(ms);
  assert.ok(goodput >= share, `${goodput} of the sum`);
  const allowed = direction === "up" ? (expected.queueUp ?? queue) : queue;
  const [half, most] = bulk.queues(ms / 2, 0.5, 0.95) as [number, number];
  assert.ok(half <= allowed[0] && most <= allowed[1], `queues of ${half} and ${most} ms`);
}
