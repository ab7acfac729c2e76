import assert from "node:assert/strict";
import { test } from "node:test";
import { everySecond } from "./every-second.ts";

test("any number of listeners share one timer, which ends with the last of them", (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const set = t.mock.method(globalThis, "setInterval");
  const cleared = t.mock.method(globalThis, "clearInterval");
  const calls = [0, 0, 0];
  const ends = calls.map((_, i) => everySecond(() => (calls[i] as number)++));
  t.mock.timers.tick(3_000);
  assert.deepEqual(calls, [3, 3, 3]);
  assert.equal(set.mock.callCount(), 1);
  ends[1]?.();
  t.mock.timers.tick(1_000);
  assert.deepEqual(calls, [4, 3, 4]);
  assert.equal(cleared.mock.callCount(), 0);
  for (const end of ends) end();
  assert.equal(cleared.mock.callCount(), 1);
  t.mock.timers.tick(5_000);
  assert.deepEqual(calls, [4, 3, 4]);
  everySecond(() => {})();
  assert.equal(set.mock.callCount(), 2);
});

test("the same function may listen twice, and one that is ended within a tick is not called in it", (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  let calls = 0;
  const call = (): void => void calls++;
  const ends = [everySecond(call), everySecond(call)];
  t.mock.timers.tick(1_000);
  assert.equal(calls, 2);
  ends.push(
    everySecond(() => ends[3]?.()),
    everySecond(call),
  );
  t.mock.timers.tick(1_000);
  assert.equal(calls, 4);
  for (const end of ends) end();
});
