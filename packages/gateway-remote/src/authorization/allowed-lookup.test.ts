import assert from "node:assert/strict";
import type { LookupAddress } from "node:dns";
import { type AddressInfo, createServer } from "node:net";
import { test } from "node:test";
import { type DialOptions, dialApplication } from "@hawser/gateway-kit";
import type { Parsed } from "@hawser/shared-protocol";
import { NameError, NameResolver } from "../names/name-resolver.ts";
import { startNameServer } from "../names/testing.ts";
import { allowedLookup, NotAllowedError, type ResolveName } from "./allowed-lookup.ts";
import { EgressPolicy } from "./policy.ts";
import { parseAllowRule } from "./rules.ts";

function policy(...allow: readonly string[]): EgressPolicy {
  const valueOf = <T>(result: Parsed<T>): T => {
    assert.ok(result.ok);
    return result.value;
  };
  return new EgressPolicy({
    allow: allow.map((text) => valueOf(parseAllowRule(text))),
    deny: [],
  });
}

function resolve(
  rules: EgressPolicy,
  host: string,
  name: ResolveName,
): Promise<readonly LookupAddress[] | Error> {
  return new Promise((done) => {
    allowedLookup(rules, 80, name)(host, (error, addresses) => done(error ?? addresses));
  });
}

/** Dials, then closes the connection at once. */
function dial(options: DialOptions): Promise<{ remoteAddress: string | undefined }> {
  return new Promise((connected, failed) => {
    dialApplication(
      options,
      () => true,
      (socket) => {
        const { remoteAddress } = socket;
        socket.destroy();
        connected({ remoteAddress });
      },
    ).once("error", failed);
  });
}

/** A resolver that gives these answers one after the other, and then the last one again. */
function answers(...all: readonly string[][]): ResolveName {
  let asked = 0;
  return async () => {
    const addresses = all[Math.min(asked++, all.length - 1)] ?? [];
    return addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
  };
}

test("a text that the resolver takes for an address reaches this machine no more than the address does", async () => {
  using server = await startNameServer({});
  const names = new NameResolver({ servers: [`127.0.0.1:${server.port}`] });
  for (const host of [
    "127.1",
    "127.0.1",
    "0x7f000001",
    "0x7f.1",
    "2130706433",
    "017700000001",
    "0177.0.0.1",
    "0",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "127.0.0.1.",
    "foo.localhost",
    "\u2460\u2461\u2466.\u24ea.\u24ea.\u2460",
    "\uff11\uff12\uff17.0.0.1",
    "[::1]",
  ]) {
    const result = await resolve(policy("public"), host, (name) => names.resolve(name));
    const error = host === "[::1]" ? NameError : NotAllowedError;
    assert.ok(result instanceof error, `${host}: ${JSON.stringify(result)}`);
  }
});

test("each address of a name is judged; the allowed ones are dialled, in the resolver's order", async () => {
  const mixed = answers([
    "127.0.0.1",
    "203.0.113.5",
    "::1",
    "2001:db8::5",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "1.1.1.1",
  ]);
  const left = await resolve(policy("public"), "mixed.example", mixed);
  assert.deepEqual(left, [
    { address: "203.0.113.5", family: 4 },
    { address: "2001:db8::5", family: 6 },
    { address: "1.1.1.1", family: 4 },
  ]);
});

test("a name whose addresses are all denied is refused as not allowed, with the reasons", async () => {
  const inside = answers(["10.0.0.1", "fd00::1"]);
  const result = await resolve(policy("public"), "inside.example", inside);
  assert.ok(result instanceof NotAllowedError);
  assert.equal(result.code, "EACCES");
  const none = "and no rule in allow names it";
  assert.equal(result.message, `not allowed: 10.0.0.1 (private, ${none}), fd00::1 (private, ${none})`);
});

test("a name that leads elsewhere at a second lookup gains nothing: the judged address is dialled", async () => {
  const server = createServer((socket) => socket.destroy()).listen(0, "127.0.0.2");
  await new Promise((listening) => server.once("listening", listening));
  const { port } = server.address() as AddressInfo;
  const lookup = allowedLookup(policy("127.0.0.2"), port, answers(["127.0.0.2"], ["127.0.0.1"]));
  const { remoteAddress } = await dial({ host: "rebinding.example", port, lookup });
  assert.equal(remoteAddress, "127.0.0.2");
  await assert.rejects(dial({ host: "rebinding.example", port, lookup }), NotAllowedError);
  server.close();
});

test("of two allowed addresses the one that answers is taken", async () => {
  const server = createServer((socket) => socket.destroy()).listen(0, "127.0.0.3");
  await new Promise((listening) => server.once("listening", listening));
  const { port } = server.address() as AddressInfo;
  // No server listens at the first two addresses; the second is denied.
  const name = answers(["127.0.0.2", "127.0.0.1", "127.0.0.3"]);
  const lookup = allowedLookup(policy("127.0.0.2/31"), port, name);
  const { remoteAddress } = await dial({ host: "two.example", port, lookup });
  assert.equal(remoteAddress, "127.0.0.3");
  server.close();
});
