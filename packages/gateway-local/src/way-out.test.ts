import assert from "node:assert/strict";
import { test } from "node:test";
import { createLogger } from "@hawser/gateway-kit";
import { EventLog } from "@hawser/status-api";
import { WayOut } from "./way-out.ts";

test("each loss or return of a family is one event, and one call for the rules", () => {
  const events = new EventLog();
  const logger = createLogger({ role: "local", name: "test", level: "silent" });
  const wayOut = new WayOut(events, "home", logger);
  const heard: unknown[] = [];
  wayOut.onChange = (families) => heard.push(families);
  assert.deepEqual(wayOut.families, { ipv4: true, ipv6: true });

  wayOut.handleEgress({ ipv4: true, ipv6: true });
  assert.deepEqual([heard, events.counts.get("egress-lost")], [[], 0]);

  const lost = { ipv4: true, ipv6: false };
  wayOut.handleEgress(lost);
  wayOut.handleEgress(lost);
  assert.deepEqual(heard, [lost]);
  assert.equal(events.counts.get("egress-lost"), 1);

  wayOut.handleEgress({ ipv4: false, ipv6: true });
  assert.deepEqual([events.counts.get("egress-lost"), events.counts.get("egress-back")], [2, 1]);
  assert.deepEqual(heard.at(-1), { ipv4: false, ipv6: true });
});
