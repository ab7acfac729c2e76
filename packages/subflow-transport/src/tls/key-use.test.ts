import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { Subflow } from "@hawser/multipath-engine";
import { SubflowConnection } from "../subflow-connection.ts";
import { KeyUse } from "./key-use.ts";
import { clientTls, serverTls } from "./psk.ts";

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

test("both ends of a subflow count the records that are on the line, short ones and full ones", async () => {
  const psk = randomBytes(32);
  const server = createServer({ pauseOnConnect: true }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const accepted = once(server, "connection") as Promise<[Socket]>;
  const raw = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const [client, { socket }] = await Promise.all([
    clientTls(raw, { identity: "home", psk, servername: "hawser.invalid" }),
    accepted.then(([each]) => serverTls(each, { lookup: () => psk })),
  ]);
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
    while (received < before + length) await new Promise((done) => setTimeout(done, 5));
  }
  assert.equal(received, total);
  assert.equal(sender.keyUse.records.sent, 6);
  assert.equal(receiver.keyUse.records.received, 6);
  for (const each of [client, socket]) each.destroy();
  server.close();
});
