import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { createLogger } from "../log.ts";
import { Refusals } from "./refusals.ts";

let lines: Record<string, unknown>[];
let refusals: Refusals;
beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout"] });
  lines = [];
  const write = (line: string): void => void lines.push(JSON.parse(line) as Record<string, unknown>);
  refusals = new Refusals(
    createLogger({ role: "remote", name: "test", level: "info", destination: { write } }),
  );
});
afterEach(() => mock.timers.reset());

function refuse(times: number, reason: string): void {
  for (let i = 0; i < times; i++)
    refusals.note({ listener: "subflow", reason }, "info", { from: "192.0.2.1" }, "not let in");
}

test("all are counted; the log has the first of each kind, and then one line with the number of the rest", () => {
  refuse(2_000, "displaced");
  refuse(2, "handshake_failed");
  assert.deepEqual(refusals.counts, [
    { listener: "subflow", reason: "displaced", count: 2_000 },
    { listener: "subflow", reason: "handshake_failed", count: 2 },
  ]);
  assert.equal(lines.length, 5);
  mock.timers.tick(10_000);
  assert.equal(lines.length, 6);
  const { level, kind, more, seconds, msg } = lines[5] ?? {};
  assert.deepEqual(
    { level, kind, more, seconds, msg },
    { level: "info", kind: "subflow displaced", more: 1_997, seconds: 10, msg: "not let in: more of these" },
  );
});

test("the next period begins anew", () => {
  refuse(4, "displaced");
  mock.timers.tick(10_000);
  refuse(1, "displaced");
  mock.timers.tick(10_000);
  assert.deepEqual(
    lines.map(({ from, more }) => from ?? more),
    ["192.0.2.1", "192.0.2.1", "192.0.2.1", 1, "192.0.2.1"],
  );
});
