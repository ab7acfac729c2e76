import assert from "node:assert/strict";
import { test } from "node:test";
import { SocksReply } from "./constants.ts";
import { type BoundAddress, encodeReply, replyForErrno } from "./reply.ts";

function hex(code: SocksReply, bound?: BoundAddress): string {
  return Buffer.from(encodeReply(code, bound)).toString("hex");
}

test("every reply code, with the unspecified address", () => {
  const golden: Record<keyof typeof SocksReply, string> = {
    succeeded: "05000001000000000000",
    generalFailure: "05010001000000000000",
    notAllowed: "05020001000000000000",
    networkUnreachable: "05030001000000000000",
    hostUnreachable: "05040001000000000000",
    connectionRefused: "05050001000000000000",
    ttlExpired: "05060001000000000000",
    commandNotSupported: "05070001000000000000",
    addressTypeNotSupported: "05080001000000000000",
  };
  for (const name of Object.keys(SocksReply) as (keyof typeof SocksReply)[]) {
    assert.equal(hex(SocksReply[name]), golden[name], name);
  }
});

test("every kind of bound address", () => {
  assert.equal(hex(0, { host: "192.0.2.7", port: 4433 }), "05000001c00002071151");
  assert.equal(hex(0, { host: "2001:db8::1", port: 65535 }), "0500000420010db8000000000000000000000001ffff");
  assert.equal(hex(0, { host: "::ffff:192.0.2.7", port: 4433 }), "05000001c00002071151");
  assert.equal(hex(0, { host: "::ffff:c000:207", port: 4433 }), "05000001c00002071151");
  assert.equal(hex(0, { host: "a.example", port: 80 }), "0500000309612e6578616d706c650050");
  assert.equal(hex(0, { host: "fe80::1%eth0", port: 1 }), "05000004fe8000000000000000000000000000010001");
});

test("a bound address that cannot be written becomes the unspecified one", () => {
  const unspecified = "05000001000000000000";
  assert.equal(hex(0, { host: "", port: 80 }), unspecified);
  assert.equal(hex(0, { host: "x".repeat(256), port: 80 }), unspecified);
  assert.equal(hex(0, { host: "192.0.2.7", port: 65536 }), unspecified);
  assert.equal(hex(0, { host: "192.0.2.7", port: Number.NaN }), unspecified);
});

test("errnos become replies", () => {
  assert.equal(replyForErrno("ECONNREFUSED"), SocksReply.connectionRefused);
  assert.equal(replyForErrno("ENETUNREACH"), SocksReply.networkUnreachable);
  assert.equal(replyForErrno("ENOTFOUND"), SocksReply.hostUnreachable);
  assert.equal(replyForErrno("EACCES"), SocksReply.notAllowed);
  assert.equal(replyForErrno("ESOMETHING"), SocksReply.generalFailure);
  assert.equal(replyForErrno(undefined), SocksReply.generalFailure);
});
