import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { PATIENCE_MS, Reach } from "./reach.ts";

beforeEach(() => mock.timers.enable({ apis: ["setTimeout"] }));
afterEach(() => mock.timers.reset());

/** A flow that records its refusal. */
function flow(refused: string[], name: string): () => void {
  return () => void refused.push(name);
}

test("flows that began without a path are refused when none comes up in time, and so are new ones then", () => {
  const reach = new Reach();
  const refused: string[] = [];
  reach.watch(flow(refused, "from before"));
  reach.handleNoPath();
  reach.watch(flow(refused, "waiting"));
  const ended = flow(refused, "ended");
  reach.watch(ended);
  reach.forget(ended);
  mock.timers.tick(PATIENCE_MS - 1);
  // The same outage goes on.
  reach.handleNoPath();
  assert.deepEqual([reach.isCutOff, refused], [false, []]);
  mock.timers.tick(1);
  assert.deepEqual([reach.isCutOff, refused], [true, ["waiting"]]);
  reach.handlePathUp();
  assert.equal(reach.isCutOff, false);
});

test("a path that comes up in time saves the flows that waited, in the next outage, too", () => {
  const reach = new Reach();
  const refused: string[] = [];
  reach.handleNoPath();
  reach.watch(flow(refused, "waiting"));
  mock.timers.tick(PATIENCE_MS - 1);
  reach.handlePathUp();
  reach.handleNoPath();
  mock.timers.tick(PATIENCE_MS);
  assert.deepEqual([reach.isCutOff, refused], [true, []]);
});
