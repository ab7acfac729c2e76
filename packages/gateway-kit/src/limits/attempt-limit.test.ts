import assert from "node:assert/strict";
import { test } from "node:test";
import { AttemptLimit } from "./attempt-limit.ts";

function failTen(limit: AttemptLimit, address: string, now: number): void {
  for (let n = 0; n < 10; n++) limit.handleFailure(address, now);
}

test("ten failures in a minute, and the address waits for the minute to be over", () => {
  const limit = new AttemptLimit();
  failTen(limit, "192.0.2.1", 1_000);
  assert.equal(limit.waitFor("192.0.2.1", 2_000), 59_000);
  assert.equal(limit.waitFor("::ffff:192.0.2.1", 2_000), 59_000);
  assert.equal(limit.waitFor("192.0.2.2", 2_000), 0);
  assert.equal(limit.waitFor("192.0.2.1", 61_000), 0);
  limit.handleFailure("192.0.2.1", 61_000);
  assert.equal(limit.waitFor("192.0.2.1", 61_000), 0);
});

test("of IPv6 the whole /64 waits", () => {
  const limit = new AttemptLimit();
  failTen(limit, "2001:db8::1", 0);
  assert.ok(limit.waitFor("2001:db8::ffff:1", 0) > 0);
  assert.equal(limit.waitFor("2001:db8:0:1::1", 0), 0);
});

test("many addresses do not fill the memory: the oldest is forgotten", () => {
  const limit = new AttemptLimit();
  failTen(limit, "192.0.2.1", 0);
  for (let n = 0; n < 4_095; n++) limit.handleFailure(`10.0.${n >> 8}.${n & 255}`, 0);
  assert.ok(limit.waitFor("192.0.2.1", 0) > 0);
  limit.handleFailure("10.1.0.0", 0);
  assert.equal(limit.waitFor("192.0.2.1", 0), 0);
});
