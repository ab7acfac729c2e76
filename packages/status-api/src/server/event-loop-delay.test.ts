import assert from "node:assert/strict";
import { test } from "node:test";
import { Registry } from "prom-client";
import { eventLoopDelayMetrics } from "./event-loop-delay.ts";

test("timers are watched more closely while the process works, and once a second when it is idle again", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const set = t.mock.method(globalThis, "setInterval");
  const cleared = t.mock.method(globalThis, "clearInterval");
  let utilization = 0;
  t.mock.method(performance, "eventLoopUtilization", () => ({ idle: 0, active: 0, utilization }));
  let now = 0;
  t.mock.method(performance, "now", () => now);
  const second = (late = 0): void => {
    now += 1_000 + late;
    t.mock.timers.tick(1_000);
  };
  const registry = new Registry();
  const delay = eventLoopDelayMetrics(registry);
  const scrape = async (): Promise<Map<string, number>> => {
    await delay.fill();
    const found = (await registry.metrics()).matchAll(/^nodejs_eventloop_lag_(\w+)_seconds (\S+)$/gm);
    return new Map([...found].map(([, name = "", value]) => [name, Number(value)]));
  };
  assert.deepEqual([...(await scrape()).values()], [0, 0, 0, 0, 0, 0, 0]);
  for (let i = 0; i < 10; i++) second();
  assert.equal(set.mock.callCount(), 1);
  second(300);
  assert.ok(Math.abs(((await scrape()).get("max") ?? 0) - 0.3) < 0.01);
  assert.equal((await scrape()).get("max"), 0);
  utilization = 0.5;
  second();
  utilization = 0;
  second();
  assert.equal(set.mock.callCount(), 1, "one busy second is no work");
  utilization = 0.5;
  for (let i = 0; i < 3; i++) second();
  assert.equal(set.mock.callCount(), 2);
  utilization = 0.01;
  second();
  second();
  assert.equal(set.mock.callCount(), 2);
  const ended = (): number =>
    cleared.mock.calls.filter(({ arguments: [timer] }) => timer !== undefined).length;
  assert.equal(ended(), 1);
  delay.close();
  assert.equal(ended(), 2, "the clock of once a second");
});
