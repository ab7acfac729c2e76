import assert from "node:assert/strict";
import { test } from "node:test";
import { INITIAL_CREDIT } from "../wire/index.ts";
import { MemoryBudget } from "./memory-budget.ts";
import { ReceiveWindow } from "./receive-window.ts";

const MB = 1_048_576;

test("a peer's budget is spent before the gateway's, and leaves the others room", () => {
  const all = new MemoryBudget(8 * MB);
  const greedy = new MemoryBudget(2 * MB, all);
  const modest = new MemoryBudget(8 * MB, all);
  const windows: ReceiveWindow[] = [];
  while (!greedy.isSpent) windows.push(new ReceiveWindow(greedy, 0));
  assert.equal(windows.length, (2 * MB) / INITIAL_CREDIT);
  assert.deepEqual([all.promised, all.isSpent, modest.isSpent], [2 * MB, false, false]);
  assert.deepEqual([greedy.leftToGrow, modest.leftToGrow], [0, 2 * MB]);
  assert.deepEqual([greedy.isShort, modest.isShort], [true, false]);
  for (const window of windows) window.close();
  assert.deepEqual([all.promised, greedy.promised], [0, 0]);
});

test("when the gateway's memory is spent, no peer's budget has room", () => {
  const all = new MemoryBudget(MB);
  const [first, second] = [new MemoryBudget(MB, all), new MemoryBudget(MB, all)];
  first.promise(MB);
  first.hold(MB + 1);
  assert.deepEqual(
    [second.isSpent, second.isShort, second.leftToGrow, second.leftToHold],
    [true, true, 0, -1],
  );
  first.promise(-MB);
  first.hold(-MB - 1);
  assert.deepEqual([second.isSpent, second.isShort, second.leftToHold], [false, false, MB]);
});

test("a cap that is lowered holds for what comes", () => {
  const budget = new MemoryBudget(4 * MB);
  budget.promise(3 * MB);
  budget.cap = 2 * MB;
  assert.deepEqual([budget.isSpent, budget.isShort, budget.leftToGrow], [true, true, 0]);
});
