import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { test } from "node:test";
import { createLogger, Refusals } from "@hawser/gateway-kit";
import { Strangers } from "./strangers.ts";

const logger = createLogger({ role: "remote", name: "test", level: "silent" });

/** The limit on descriptors that the service's unit sets. */
const DESCRIPTORS = 65_536;

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
  const strangers = new Strangers(new Refusals(logger), DESCRIPTORS);
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
  const strangers = new Strangers(new Refusals(logger), DESCRIPTORS);
  const paired = arrive(strangers, "192.0.2.1");
  strangers.handleClaim(paired);
  for (let i = 0; i < 9_000; i++) arrive(strangers, `198.51.${i >> 8}.${i & 255}`);
  assert.equal(paired.isReset, false);
  assert.equal(strangers.size, 4_097);
  strangers.leave(paired);
  assert.equal(strangers.size, 4_096);
});

test("a flood from all networks of an IPv6 /48 pushes nobody else out", () => {
  const strangers = new Strangers(new Refusals(logger), DESCRIPTORS);
  const slow = arrive(strangers, "192.0.2.1");
  for (let i = 0; i < 9_000; i++) arrive(strangers, `2001:db8:bad:${i.toString(16)}::1`);
  assert.equal(slow.isReset, false);
  assert.equal(strangers.size, 257);
});

test("an address from which a paired gateway has joined has a room of its own", () => {
  const strangers = new Strangers(new Refusals(logger), DESCRIPTORS);
  const first = arrive(strangers, "192.0.2.1");
  strangers.handleJoined(first);
  strangers.leave(first);
  const again = arrive(strangers, "192.0.2.1");
  for (let i = 0; i < 9_000; i++) arrive(strangers, `198.51.${i >> 8}.${i & 255}`);
  assert.equal(again.isReset, false);
});

test("where descriptors are few, strangers take no more than a part of them", () => {
  const strangers = new Strangers(new Refusals(logger), 1_024);
  for (let i = 0; i < 9_000; i++) arrive(strangers, `198.51.${i >> 8}.${i & 255}`);
  assert.equal(strangers.size, 128);
});

test("connections that replay a peer's ClientHello displace one another, not connections that have yet to send theirs", () => {
  const strangers = new Strangers(new Refusals(logger), DESCRIPTORS);
  const silent = arrive(strangers, "192.0.2.1");
  for (let i = 0; i < 2_000; i++) strangers.handleClaim(arrive(strangers, `198.51.${i >> 8}.${i & 255}`));
  assert.equal(silent.isReset, false);
  assert.equal(strangers.size, 1 + 512);
});

test("a displaced connection is counted as displaced, not as hung up", () => {
  const refusals = new Refusals(logger);
  const strangers = new Strangers(refusals, DESCRIPTORS);
  const [first] = Array.from({ length: 65 }, () => arrive(strangers, "192.0.2.1"));
  strangers.handleFailure(first as FakeSocket & Socket, "192.0.2.1", new Error("closed"));
  assert.deepEqual(refusals.counts, [{ listener: "subflow", reason: "displaced", count: 1 }]);
});
