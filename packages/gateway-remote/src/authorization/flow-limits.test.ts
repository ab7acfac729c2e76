import assert from "node:assert/strict";
import { test } from "node:test";
import { FlowLimits } from "./flow-limits.ts";

test("no more than max_flows flows are open at a time; a flow that ends makes room", () => {
  const limits = new FlowLimits({ maxFlows: 2, maxNewFlowsPerSecond: 100 }, 0);
  assert.deepEqual([limits.admit(0), limits.admit(0), limits.admit(0)], [undefined, undefined, "max_flows"]);
  limits.release();
  assert.equal(limits.admit(0), undefined);
});

test("four seconds' worth of flows may come at once, then the rate holds", () => {
  const limits = new FlowLimits({ maxFlows: 1_000, maxNewFlowsPerSecond: 10 }, 0);
  const admitted = (now: number): number => {
    let count = 0;
    while (limits.admit(now) === undefined) count++;
    return count;
  };
  assert.equal(admitted(0), 40);
  assert.equal(limits.admit(99), "max_new_flows_per_second");
  assert.equal(admitted(1_000), 10);
  assert.equal(admitted(3_500), 25);
  assert.equal(admitted(1_000_000), 40);
});

test("changed limits hold from then on; open flows stay", () => {
  const limits = new FlowLimits({ maxFlows: 2, maxNewFlowsPerSecond: 100 }, 0);
  limits.admit(0);
  limits.admit(0);
  limits.handleConfig({ maxFlows: 1, maxNewFlowsPerSecond: 100 });
  assert.equal(limits.admit(0), "max_flows");
  limits.release();
  assert.equal(limits.admit(0), "max_flows");
  limits.release();
  assert.equal(limits.admit(0), undefined);
});
