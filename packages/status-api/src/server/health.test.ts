import assert from "node:assert/strict";
import { test } from "node:test";
import type { FlowRoom, LocalStatusReport } from "../schemas/status.ts";
import { samplePath } from "../testing.ts";
import { healthOf } from "./health.ts";

const greedy = { source: "192.168.77.3", flows: 15_360, dialling: 3, refused: 900 };

function report(flowRoom: FlowRoom): LocalStatusReport {
  const flows = { open: 0, total: 0, failed: 0 };
  const bytes = { sent: 0, received: 0, reinjected: 0 };
  const session = { peer: "home", state: "up", flows, bytes, paths: [samplePath("adsl")] } as const;
  return { role: "local", version: "0", uptimeSeconds: 1, session, flowRoom };
}

test("a gateway that refuses one source its flows is up; one that refuses everybody's is not, and says whose they are", () => {
  const room = { limit: 16_384, open: 15_400, dialling: 5, isFull: false, greedy };
  assert.equal(healthOf(report(room)).status, "up");
  const { status, reason } = healthOf(report({ ...room, open: 16_384, isFull: true }));
  assert.equal(status, "down");
  assert.equal(
    reason,
    "new flows are refused: 16384 are open, and there is room for no more; 192.168.77.3 has 15360 of the 16384 flows that there is room for: its new ones are refused, so that others are served",
  );
});
