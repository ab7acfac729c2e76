import assert from "node:assert/strict";
import { test } from "node:test";
import { Subflow } from "@hawser/multipath-engine";
import { PathRecord } from "./path-record.ts";

const LEAST_MS = 100;
const QUEUE_MS = 200;
const SIZE = 1_000;

test("a line that only answers PINGs shows no queue that has gone long ago", (context) => {
  const subflow = new Subflow({ id: 0, path: "adsl1", role: "active", side: "remote" }, 0);
  const path = new PathRecord("adsl1", "active", "configured");
  path.handleJoined(subflow, { sent: 0, received: 0 });
  let now = 0;
  context.mock.method(performance, "now", () => now);
  for (let n = 0; n < 20; n++) {
    const rtt = LEAST_MS + (n === 0 ? 0 : QUEUE_MS);
    subflow.recordData(0, n * SIZE, SIZE - 8, SIZE, false, now);
    now += rtt;
    const time = (now - LEAST_MS / 2) * 1_000;
    subflow.handleAck({ type: "ack", received: (n + 1) * SIZE, delay: 0, time }, now, () => {});
  }
  const loadedUntil = now;
  const shown = (): (number | null)[] => {
    const { now: shown = null, least = null } = path.roundTrip ?? {};
    return [shown, least];
  };
  now = loadedUntil + 1_000;
  const [loaded, least] = shown();
  assert.equal(least, LEAST_MS);
  assert.ok((loaded ?? 0) > LEAST_MS + 0.8 * QUEUE_MS, `${loaded} ms`);
  // The line lives: the system has what was sent acknowledged. That is no measurement of its round trip.
  now = loadedUntil + 5_500;
  subflow.liveness.handleProgress(now);
  assert.deepEqual(shown(), [LEAST_MS, LEAST_MS]);
  // While something is under way, or comes, the last known is the best that there is.
  path.sample(now);
  subflow.receipt.handleReceived(100_000, now);
  path.sample((now += 1_000));
  assert.deepEqual(shown(), [loaded, LEAST_MS]);
  for (let second = 0; second < 5; second++) path.sample((now += 1_000));
  assert.deepEqual(shown(), [LEAST_MS, LEAST_MS]);
  subflow.recordData(0, 20 * SIZE, SIZE - 8, SIZE, false, now);
  assert.deepEqual(shown(), [loaded, LEAST_MS]);
});
