import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { Flow, FlowSet, SessionDriver, type StreamHandler } from "@hawser/gateway-kit";
import { MemoryBudget } from "@hawser/multipath-engine";
import { CloseCode, StreamCode } from "@hawser/shared-protocol";
import { flowStatus, sessionStatus } from "./session-status.ts";

const NOWHERE = { host: "", port: 0 };
const REQUEST = {
  kind: "redirect",
  destination: { host: "example.org", port: 443 },
  source: NOWHERE,
} as const;

function makeDriver(name: string, onFlowFailed?: (code: StreamCode) => void): SessionDriver {
  const memory = new MemoryBudget(16 * 2 ** 20);
  return new SessionDriver({
    name,
    side: "local",
    memory,
    onClosed: () => {},
    ...(onFlowFailed && { onFlowFailed }),
  });
}

test("a flow that outlives its session keeps its id, age, and what each path carried of it", async (context) => {
  const driver = makeDriver("aaaa");
  const stream = driver.open(REQUEST) as number;
  const socket = new PassThrough() as unknown as Socket;
  const flow = new Flow(driver, stream, REQUEST, socket);
  const share = driver.session.stream(stream)?.share("dsl");
  assert.ok(share);
  share.received = 10;
  // The stream has ended in order, and the driver has let go of it; the application has not taken all of it yet.
  flow.handleClosed();
  driver.close(CloseCode.unknownSession, "the remote was restarted");
  await new Promise(setImmediate);
  // A router's clock is set some time after its start.
  context.mock.method(Date, "now", () => 0);
  const { id, paths, receivedBytes, ageSeconds } = flowStatus(flow, "local", "home");
  assert.ok(ageSeconds >= 0 && ageSeconds < 60, `${ageSeconds} s`);
  assert.deepEqual(
    [id, paths, receivedBytes],
    ["aaaa-0", [{ name: "dsl", sentBytes: 0, receivedBytes: 10 }], 10],
  );
  socket.destroy();
});

test("streams of the gateways themselves count as no flows, be it that they fail", () => {
  const failed: StreamCode[] = [];
  const driver = makeDriver("bbbb", (code) => failed.push(code));
  const own: StreamHandler = {
    isOwn: true,
    handleOpened() {},
    handleReadable() {},
    handleWritable() {},
    handleReset() {},
    handleClosed() {},
  };
  const stream = driver.open(REQUEST) as number;
  driver.adopt(stream, own);
  const { flows } = sessionStatus("home", driver, new FlowSet(), []);
  assert.deepEqual(flows, { open: 0, total: 0, failed: 0 });
  driver.reset(stream, StreamCode.timeout);
  assert.equal(sessionStatus("home", driver, new FlowSet(), []).flows.failed, 0);
  assert.deepEqual(failed, []);
  driver.reset(driver.open(REQUEST) as number, StreamCode.timeout);
  assert.deepEqual(sessionStatus("home", driver, new FlowSet(), []).flows, { open: 0, total: 1, failed: 1 });
  assert.deepEqual(failed, [StreamCode.timeout]);
  driver.close(CloseCode.done, "");
});
