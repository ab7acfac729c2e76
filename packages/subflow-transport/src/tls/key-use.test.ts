import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { Subflow } from "@hawser/multipath-engine";
import { SubflowConnection } from "../subflow-connection.ts";
import { KeyUse } from "./key-use.ts";
import { tlsPair } from "./testing.ts";

test("another key is due after so many records in either direction", () => {
  for (const [written, read] of [
    [10, 0],
    [0, 10],
  ] as const) {
    const use = new KeyUse(10);
    for (let n = 0; n < written; n++) use.handleWritten(100);
    for (let n = 0; n < read; n++) use.handleRead();
    assert.ok(use.isSpent && use.isHalfSpent);
  }
  const use = new KeyUse(10);
  use.handleWritten(5 * 16_384);
  assert.deepEqual([use.records.sent, use.isHalfSpent, use.isSpent], [5, true, false]);
});

test("both ends of a subflow count the records that are on the line, short ones and full ones", async (t) => {
  const { local: client, remote: socket } = await tlsPair(t);
  let received = 0;
  const events = {
    onBytes: ({ length }: Buffer) => void (received += length),
    onDrain: () => {},
    onLost: () => {},
  };
  const subflow = (side: "local" | "remote"): Subflow =>
    new Subflow({ id: 0, path: "p", role: "active", side }, performance.now());
  const sender = new SubflowConnection(subflow("local"), client, { ...events, onBytes: () => {} });
  const receiver = new SubflowConnection(subflow("remote"), socket, events);
  const lengths = [100, 100, 16_384, 40_000];
  const total = lengths.reduce((sum, length) => sum + length);
  for (const length of lengths) {
    const before = received;
    sender.write([Buffer.alloc(length)]);
    while (received < before + length) await once(socket, "data");
  }
  assert.equal(received, total);
  assert.equal(sender.keyUse.records.sent, 6);
  assert.equal(receiver.keyUse.records.received, 6);
});
