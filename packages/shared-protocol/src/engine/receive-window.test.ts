import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Random } from "../../../../test/sim/random.ts";
import { INITIAL_CREDIT } from "../wire/index.ts";
import { FREE_RUNS, RUN_BYTES } from "./limits.ts";
import { MemoryBudget } from "./memory-budget.ts";
import { MAX_RECEIVE_WINDOW } from "./parameters.ts";
import { ReceiveWindow } from "./receive-window.ts";

const MB = 1024 * 1024;

describe("ReceiveWindow", () => {
  it("grows with a reader that keeps up, and not beyond its maximum", () => {
    const budget = new MemoryBudget(1_000 * MB);
    const window = new ReceiveWindow(budget, 0);
    for (let n = 0; n < 40; n++) window.consume(window.limit - (window.limit - window.window), n, 30);
    assert.equal(window.window, MAX_RECEIVE_WINDOW);
    assert.equal(budget.promised, MAX_RECEIVE_WINDOW);
  });

  it("does not grow with a slow reader, nor says anything before a quarter is consumed", () => {
    const window = new ReceiveWindow(new MemoryBudget(64 * MB), 0);
    assert.equal(window.consume(INITIAL_CREDIT / 4 - 1, 1_000, 30), false);
    assert.equal(window.limit, INITIAL_CREDIT);
    assert.equal(window.consume(1, 1_000, 30), true);
    assert.equal(window.limit, 1.25 * INITIAL_CREDIT);
    assert.equal(window.window, INITIAL_CREDIT);
  });

  it("grows at once to what the pace asks for on the longest line, at most fourfold", () => {
    const grown = (ms: number, rtt: number): number => {
      const window = new ReceiveWindow(new MemoryBudget(64 * MB), 0);
      window.consume(INITIAL_CREDIT / 4, 10_000, rtt);
      assert.equal(window.window, INITIAL_CREDIT);
      window.consume(INITIAL_CREDIT / 4, 10_000 + ms, rtt);
      return window.window / INITIAL_CREDIT;
    };
    assert.equal(grown(32, 600), 4);
    assert.equal(grown(0, 30), 4, "a burst");
    assert.equal(grown(20, 30), 3);
    assert.equal(grown(59, 30), 2);
    assert.equal(grown(0, 0), 2);
  });

  it("no more than doubles once a quarter of the memory is promised, a gateway's too", () => {
    for (const around of [undefined, new MemoryBudget(8 * MB)]) {
      const budget = new MemoryBudget(around ? 64 * MB : 8 * MB, around);
      const window = new ReceiveWindow(budget, 0);
      budget.promise(2 * MB);
      window.consume(INITIAL_CREDIT / 4, 1, 600);
      assert.equal(window.window, 2 * INITIAL_CREDIT);
    }
  });

  it("grows when half of it was early, however long the wait; once for each grant", () => {
    const window = new ReceiveWindow(new MemoryBudget(64 * MB), 0);
    window.handleEarly(INITIAL_CREDIT / 2, 1);
    window.handleEarly(0, 0);
    window.consume(INITIAL_CREDIT, 1_000, 30);
    assert.equal(window.window, 2 * INITIAL_CREDIT);
    window.consume(2 * INITIAL_CREDIT, 2_000, 30);
    assert.equal(window.window, 2 * INITIAL_CREDIT);
  });

  it("growth leaves room for new streams; these make large windows shrink again", () => {
    const budget = new MemoryBudget(4 * MB);
    const large = new ReceiveWindow(budget, 0);
    for (let n = 0; n < 20; n++) large.consume(large.window, n, 30);
    assert.equal(large.window, 2 * MB);
    const others: ReceiveWindow[] = [];
    while (!budget.isSpent) others.push(new ReceiveWindow(budget, 0));
    assert.equal(others.length, 32);
    const limit = large.limit;
    large.consume(large.window, 1_000, 30);
    assert.ok(large.limit >= limit, "credit is not taken back");
    assert.ok(large.window < 2 * MB);
    assert.equal(budget.isSpent, false);
  });

  it("counts the runs of early bytes beyond a few, until they are gone or the stream is", () => {
    const budget = new MemoryBudget(64 * MB);
    const window = new ReceiveWindow(budget, 0);
    window.handleEarly(FREE_RUNS, FREE_RUNS);
    assert.equal(budget.promised, INITIAL_CREDIT);
    window.handleEarly(1_000, FREE_RUNS + 10);
    assert.equal(budget.promised, INITIAL_CREDIT + 10 * RUN_BYTES);
    window.handleEarly(1_000, FREE_RUNS + 5);
    assert.equal(budget.promised, INITIAL_CREDIT + 5 * RUN_BYTES);
    window.close();
    window.handleEarly(1_000, FREE_RUNS + 5);
    assert.equal(budget.promised, 0);
  });

  it("keeps what a stream starts with until the stream is over", () => {
    const budget = new MemoryBudget(64 * MB);
    const window = new ReceiveWindow(budget, 0);
    window.consume(INITIAL_CREDIT, 1, 30);
    assert.ok(budget.promised > INITIAL_CREDIT);
    window.settle();
    assert.equal(budget.promised, INITIAL_CREDIT);
    window.close();
    assert.equal(budget.promised, 0);
  });

  it("never promises more than there is, and gives all back, under random use", () => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = new Random(seed);
      const budget = new MemoryBudget(8 * MB);
      let windows: { window: ReceiveWindow; consumed: number }[] = [];
      for (let step = 0; step < 2_000; step++) {
        if (random.chance(0.1) && !budget.isSpent) {
          windows.push({ window: new ReceiveWindow(budget, step), consumed: 0 });
        }
        const each = windows.length > 0 ? random.pick(windows) : undefined;
        if (each) {
          const bytes = random.integer(0, each.window.limit - each.consumed);
          each.consumed += bytes;
          each.window.consume(bytes, step, 30);
          if (random.chance(0.05)) {
            each.window.close();
            each.window.close();
            windows = windows.filter((other) => other !== each);
          }
        }
        assert.ok(budget.promised <= budget.cap, `seed ${seed}, step ${step}`);
      }
      for (const { window } of windows) window.close();
      assert.equal(budget.promised, 0, `seed ${seed}`);
    }
  });
});
