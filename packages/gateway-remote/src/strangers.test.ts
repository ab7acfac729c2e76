import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { test } from "node:test";
import { createLogger, Refusals } from "@hawser/shared-protocol/node";
import { Strangers } from "./strangers.ts";

const logger = createLogger({ role: "remote", name: "test", level: "silent" });

class FakeSocket {
  readonly remoteAddress: string;
  isReset = false;
  constructor(remoteAddress: string) {
    this.remoteAddress = remoteAddress;
  }
  resetAndDestroy(): void {
    this.isReset = true;
  }
}

function arrive(strangers: Strangers, address: string): FakeSocket & Socket {
  const socket = new FakeSocket(address) as FakeSocket & Socket;
  strangers.enter(socket);
  return socket;
}

test("a flood from one address pushes nobody else out, and fills no more than its share", () => {
  const strangers = new Strangers(new Refusals(logger));
  const paired = arrive(strangers, "192.0.2.1");
  const flood = Array.from({ length: 2_000 }, () => arrive(strangers, "198.51.100.1"));
  assert.equal(paired.isReset, false);
  assert.equal(strangers.size, 65);
  assert.deepEqual(
    flood.map(({ isReset }) => isReset),
    flood.map((_, i) => i < 2_000 - 64),
  );
});

test("whoever has shown a peer's key stays, in a flood from everywhere", () => {
  const strangers = new Strangers(new Refusals(logger));
  const paired = arrive(strangers, "192.0.2.1");
  strangers.handleClaim(paired);
  for (let i = 0; i < 5_000; i++) arrive(strangers, `198.51.${i >> 8}.${i & 255}`);
  assert.equal(paired.isReset, false);
  assert.equal(strangers.size, 257);
  strangers.leave(paired);
  assert.equal(strangers.size, 256);
});

test("those who replay a peer's ClientHello displace one another, not those who have still to show theirs", () => {
  const strangers = new Strangers(new Refusals(logger));
  const silent = arrive(strangers, "192.0.2.1");
  for (let i = 0; i < 2_000; i++) strangers.handleClaim(arrive(strangers, `198.51.${i >> 8}.${i & 255}`));
  assert.equal(silent.isReset, false);
  assert.equal(strangers.size, 1 + 512);
});

test("who was displaced is counted as that, not as one who hung up", () => {
  const refusals = new Refusals(logger);
  const strangers = new Strangers(refusals);
  const [first] = Array.from({ length: 65 }, () => arrive(strangers, "192.0.2.1"));
  strangers.handleFailure(first as FakeSocket & Socket, "192.0.2.1", new Error("closed"));
  assert.deepEqual(refusals.counts, [{ listener: "subflow", reason: "displaced", count: 1 }]);
});
