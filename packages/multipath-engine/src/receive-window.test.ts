import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { INITIAL_CREDIT } from "@hawser/shared-protocol";
import { Random } from "@hawser/shared-protocol/testing";
import { FREE_RUNS, RUN_BYTES, STREAM_BYTES } from "./limits.ts";
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
    assert.equal(budget.heldToRead, STREAM_BYTES + MAX_RECEIVE_WINDOW - INITIAL_CREDIT);
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

  it("no more than doubles once windows have grown by a quarter of the memory, a gateway's too", () => {
    for (const around of [undefined, new MemoryBudget(8 * MB)]) {
      const budget = new MemoryBudget(around ? 64 * MB : 8 * MB, around);
      const window = new ReceiveWindow(budget, 0);
      budget.holdToRead(2 * MB, 2 * MB);
      window.consume(INITIAL_CREDIT / 4, 1, 600);
      assert.equal(window.window, 2 * INITIAL_CREDIT);
    }
  });

  it("grows when half of it was early, however long the wait; once for each grant", () => {
    const window = new ReceiveWindow(new MemoryBudget(64 * MB), 0);
    window.handleReceived(INITIAL_CREDIT / 2, INITIAL_CREDIT / 2, 1);
    window.handleReceived(INITIAL_CREDIT, 0, 0);
    window.consume(INITIAL_CREDIT, 1_000, 30);
    assert.equal(window.window, 2 * INITIAL_CREDIT);
    window.consume(2 * INITIAL_CREDIT, 2_000, 30);
    assert.equal(window.window, 2 * INITIAL_CREDIT);
  });

  it("growth leaves room for others; what they hold makes large windows shrink again", () => {
    const budget = new MemoryBudget(4 * MB);
    const large = new ReceiveWindow(budget, 0);
    for (let n = 0; n < 20; n++) large.consume(large.window, n, 30);
    assert.equal(large.window, 2 * MB + INITIAL_CREDIT);
    while (!budget.isShort) new ReceiveWindow(budget, 0).handleReceived(INITIAL_CREDIT, 0, 0);
    assert.equal(budget.isSpent, false);
    const limit = large.limit;
    large.consume(large.window, 1_000, 30);
    assert.ok(large.limit >= limit, "credit is not taken back");
    assert.ok(large.window < 2 * MB);
    assert.equal(budget.isShort, false);
  });

  it("counts what has come into the initial window, and all of what is beyond it", () => {
    const budget = new MemoryBudget(64 * MB);
    const window = new ReceiveWindow(budget, 0);
    const counts = (): number => budget.heldToRead - STREAM_BYTES;
    assert.equal(counts(), 0);
    window.handleReceived(1_000, 0, 0);
    assert.equal(counts(), 1_000);
    window.handleReceived(INITIAL_CREDIT, 0, 0);
    window.consume(INITIAL_CREDIT, 0, 30);
    assert.equal(counts(), window.window - INITIAL_CREDIT);
    assert.ok(counts() > 0);
    window.handleReceived(INITIAL_CREDIT + window.window, 0, 0);
    assert.equal(counts(), window.window);
    window.close();
    assert.equal(budget.heldToRead, 0);
  });

  it("counts the runs of early bytes beyond a few, until they are gone or the stream is", () => {
    const budget = new MemoryBudget(64 * MB);
    const window = new ReceiveWindow(budget, 0);
    const counts = (): number => budget.heldToRead - STREAM_BYTES;
    window.handleReceived(FREE_RUNS, FREE_RUNS, FREE_RUNS);
    assert.equal(counts(), FREE_RUNS);
    window.handleReceived(1_000, 1_000, FREE_RUNS + 10);
    assert.equal(counts(), 1_000 + 10 * RUN_BYTES);
    window.handleReceived(1_000, 1_000, FREE_RUNS + 5);
    assert.equal(counts(), 1_000 + 5 * RUN_BYTES);
    window.close();
    window.handleReceived(1_000, 1_000, FREE_RUNS + 5);
    assert.equal(budget.heldToRead, 0);
  });

  it("holds nothing for a direction that has ended, and what a stream takes until that is over", () => {
    const budget = new MemoryBudget(64 * MB);
    const window = new ReceiveWindow(budget, 0);
    window.consume(INITIAL_CREDIT, 1, 30);
    assert.ok(budget.heldToRead > STREAM_BYTES);
    window.settle();
    assert.equal(budget.heldToRead, STREAM_BYTES);
    window.close();
    assert.equal(budget.heldToRead, 0);
  });

  it("never holds more than there is, and gives all back, under random use", () => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = new Random(seed);
      const budget = new MemoryBudget(8 * MB);
      let streams: { window: ReceiveWindow; consumed: number; received: number }[] = [];
      for (let step = 0; step < 2_000; step++) {
        if (random.chance(0.3) && !budget.isSpent) {
          const window = new ReceiveWindow(budget, step, () => {
            window.close();
            streams = streams.filter((other) => other.window !== window);
          });
          streams.push({ window, consumed: 0, received: 0 });
        }
        const each = streams.length > 0 ? random.pick(streams) : undefined;
        if (each) {
          each.received = random.integer(each.received, each.window.limit);
          each.window.handleReceived(each.received, 0, 0);
          budget.relieve();
        }
        if (each && streams.includes(each)) {
          const bytes = random.integer(0, each.received - each.consumed);
          each.consumed += bytes;
          each.window.consume(bytes, step, 30);
          if (random.chance(0.05)) {
            each.window.close();
            each.window.close();
            streams = streams.filter((other) => other !== each);
          }
        }
        assert.ok(budget.heldToRead <= budget.cap, `seed ${seed}, step ${step}`);
      }
      for (const { window } of streams) window.close();
      assert.equal(budget.heldToRead, 0, `seed ${seed}`);
    }
  });
});
