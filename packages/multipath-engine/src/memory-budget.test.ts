import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { INITIAL_CREDIT } from "@hawser/shared-protocol";
import { STREAM_BYTES } from "./limits.ts";
import { MemoryBudget } from "./memory-budget.ts";
import { MAX_STREAMS } from "./parameters.ts";
import { ReceiveWindow } from "./receive-window.ts";

const MB = 1_048_576;

/** Windows of idle streams until there is no room for another one, or `most`. */
function crowd(budget: MemoryBudget, most = Number.POSITIVE_INFINITY): ReceiveWindow[] {
  const windows: ReceiveWindow[] = [];
  while (!budget.isSpent && windows.length < most) windows.push(new ReceiveWindow(budget, 0));
  return windows;
}

test("the default memory has room for as many idle streams as a session, also for one peer of two", () => {
  const all = new MemoryBudget(256 * MB);
  const one = new MemoryBudget(192 * MB, all);
  const idle = crowd(one, MAX_STREAMS);
  assert.equal(idle.length, MAX_STREAMS);
  assert.equal(one.heldToRead, MAX_STREAMS * STREAM_BYTES);
  assert.equal(new MemoryBudget(192 * MB, all).isSpent, false);
});

test("a peer's budget is spent before the gateway's, and leaves the others room", () => {
  const all = new MemoryBudget(8 * MB);
  const greedy = new MemoryBudget(2 * MB, all);
  const modest = new MemoryBudget(8 * MB, all);
  const windows = crowd(greedy);
  const room = Math.floor(MB / STREAM_BYTES);
  assert.equal(windows.length, room);
  assert.deepEqual([all.heldToRead, all.isSpent, modest.isSpent], [room * STREAM_BYTES, false, false]);
  assert.deepEqual([greedy.isShort, modest.isShort], [false, false]);
  for (const window of windows) window.close();
  assert.deepEqual([all.heldToRead, greedy.heldToRead], [0, 0]);
});

test("when the gateway's memory is spent, no peer's budget has room", () => {
  const all = new MemoryBudget(MB);
  const [first, second] = [new MemoryBudget(MB, all), new MemoryBudget(MB, all)];
  const windows = crowd(first);
  first.holdToRead(MB, 0);
  first.holdToSend(MB + 1);
  assert.deepEqual(
    [second.isSpent, second.isShort, second.leftToGrow, second.leftToHold],
    [true, true, 0, -1],
  );
  for (const window of windows) window.close();
  first.holdToRead(-MB, 0);
  first.holdToSend(-MB - 1);
  assert.deepEqual([second.isSpent, second.isShort, second.leftToHold], [false, false, MB]);
});

test("two greedy peers leave room for a third", () => {
  const all = new MemoryBudget(8 * MB);
  const [first, second, quiet] = [1, 2, 3].map(() => new MemoryBudget(6 * MB, all)) as [
    MemoryBudget,
    MemoryBudget,
    MemoryBudget,
  ];
  const greedy = [...crowd(first, 400), ...crowd(second)];
  assert.deepEqual([first.isSpent, second.isSpent, quiet.isSpent], [true, true, false]);
  assert.equal(greedy.length, Math.ceil(all.maxStreams * (15 / 16)));
  assert.equal(crowd(quiet).length, all.maxStreams - greedy.length);
});

test("a cap that is lowered holds for what comes", () => {
  const budget = new MemoryBudget(4 * MB);
  crowd(budget);
  budget.holdToRead(MB, MB);
  budget.cap = 2 * MB;
  assert.deepEqual([budget.isSpent, budget.isShort, budget.leftToGrow], [true, true, 0]);
});

test("a crowd of idle streams takes nothing from what windows may grow by", () => {
  for (const [cap, streams] of [
    [256 * MB, 5_000],
    [192 * MB, 5_000],
    [16 * MB, 500],
  ] as const) {
    const budget = new MemoryBudget(cap);
    assert.equal(crowd(budget, streams).length, streams);
    const window = new ReceiveWindow(budget, 0);
    for (let n = 0; n < 20; n++) window.consume(window.window, n, 30);
    assert.equal(window.window, Math.min(cap / 2 + INITIAL_CREDIT, 32 * MB));
  }
});

describe("what has come is more than there is", () => {
  interface Reader {
    readonly window: ReceiveWindow;
    received: number;
  }
  let shed: Reader[];
  function reader(budget: MemoryBudget): Reader {
    const window = new ReceiveWindow(budget, 0, () => {
      shed.push(each);
      window.close();
    });
    const each: Reader = { window, received: 0 };
    return each;
  }
  function receive(budget: MemoryBudget, each: Reader, bytes: number): void {
    each.received += bytes;
    each.window.handleReceived(each.received, 0, 0);
    budget.relieve();
  }

  test("whose reader has taken nothing for longest is shed; who reads, and who holds nothing, is not", () => {
    shed = [];
    const budget = new MemoryBudget(4 * MB);
    const idle = crowd(budget, 100);
    const busy = reader(budget);
    const stalled: Reader[] = [];
    for (let n = 0; n < 200; n++) {
      const each = reader(budget);
      stalled.push(each);
      receive(budget, each, INITIAL_CREDIT);
      receive(budget, busy, INITIAL_CREDIT / 2);
      busy.window.consume(INITIAL_CREDIT / 4, n, 30);
      busy.window.consume(INITIAL_CREDIT / 4, n, 30);
      assert.ok(budget.heldToRead <= budget.cap);
    }
    assert.ok(shed.length > 100, `${shed.length} of 200 are gone`);
    assert.deepEqual(shed, stalled.slice(0, shed.length));
    for (const { window } of [busy, ...stalled]) window.close();
    for (const window of idle) window.close();
    assert.equal(budget.heldToRead, 0);
  });

  test("the gateway's memory is relieved at the cost of the peer that holds most, whoever receives", () => {
    shed = [];
    const all = new MemoryBudget(4 * MB);
    const [greedy, modest] = [new MemoryBudget(3 * MB, all), new MemoryBudget(3 * MB, all)];
    const many = Array.from({ length: 40 }, () => reader(greedy));
    for (const each of many) receive(greedy, each, INITIAL_CREDIT);
    assert.deepEqual(shed, []);
    const few = Array.from({ length: 30 }, () => reader(modest));
    for (const each of few) receive(modest, each, INITIAL_CREDIT);
    assert.ok(shed.length > 0);
    assert.deepEqual(shed, many.slice(0, shed.length));
    assert.ok(all.heldToRead <= all.cap);
  });
});
