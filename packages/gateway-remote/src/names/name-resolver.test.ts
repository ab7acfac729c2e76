import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import os, { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, mock, test } from "node:test";
import { HostsFile } from "./hosts-file.ts";
import { NameResolver } from "./name-resolver.ts";
import { startNameServer, type TestNameServer } from "./testing.ts";

const folder = mkdtempSync(join(tmpdir(), "hawser-names-"));
const hostsPath = join(folder, "hosts");
let server: TestNameServer;

before(async () => {
  server = await startNameServer({
    "origin.example": ["192.0.2.1", "192.0.2.2"],
    "six.example": ["2001:db8::6"],
    "xn--bcher-kva.example": ["192.0.2.3"],
  });
});
after(() => {
  server[Symbol.dispose]();
  rmSync(folder, { recursive: true });
});

function newResolver({ port } = server): NameResolver {
  const patience = { timeout: 300, maxTimeout: 300, tries: 2 };
  return new NameResolver({ hosts: new HostsFile(hostsPath), servers: [`127.0.0.1:${port}`], patience });
}

async function addressesOf(resolver: NameResolver, host: string): Promise<readonly string[]> {
  return (await resolver.resolve(host)).map(({ address }) => address);
}

test("a name leads to its addresses, in either family and in any spelling", async () => {
  const resolver = newResolver();
  const found = await addressesOf(resolver, "Origin.Example.");
  assert.deepEqual(found.toSorted(), ["192.0.2.1", "192.0.2.2"]);
  assert.deepEqual(await addressesOf(resolver, "six.example"), ["2001:db8::6"]);
  assert.deepEqual(await addressesOf(resolver, "bücher.example"), ["192.0.2.3"]);
  for (const host of ["127.1", "0x7f000001", "2130706433", "\uff11\uff12\uff17.1", "127.0.0.1."])
    assert.deepEqual(await addressesOf(resolver, host), ["127.0.0.1"], host);
});

test("a name that does not exist fails with ENOTFOUND", async () => {
  for (const host of [
    "nowhere.example",
    "two..dots",
    "[::1]",
    "a%b.example",
    "1.2.3.4.5",
    `${"a".repeat(64)}.example`,
  ])
    await assert.rejects(newResolver().resolve(host), { code: "ENOTFOUND" }, host);
});

test("the hosts file comes first and is read again after a change; no server is asked for localhost", async () => {
  const resolver = newResolver();
  writeFileSync(hostsPath, "# comment\n10.0.0.7 nas.home NAS # mine\nfd00::7\tnas.home\nno-address x\n");
  assert.deepEqual((await addressesOf(resolver, "nas.home")).toSorted().at(0), "10.0.0.7");
  assert.deepEqual(await addressesOf(resolver, "nas"), ["10.0.0.7"]);
  writeFileSync(hostsPath, "10.0.0.8 nas.home origin.example\n");
  assert.deepEqual(await addressesOf(resolver, "nas.home"), ["10.0.0.8"]);
  assert.deepEqual(await addressesOf(resolver, "origin.example"), ["10.0.0.8"]);
  rmSync(hostsPath);
  assert.ok((await addressesOf(resolver, "origin.example")).includes("192.0.2.1"));
  for (const host of ["localhost", "foo.localhost."])
    assert.ok((await addressesOf(resolver, host)).includes("127.0.0.1"), host);
  assert.ok(server.asked.every((question) => !/nas|localhost/.test(question)));
});

test("a machine whose addresses cannot be read fails the name, not the caller", async () => {
  const resolver = newResolver();
  const error = Object.assign(new Error("no descriptor is left"), { code: "ERR_SYSTEM_ERROR" });
  const broken = mock.method(os, "networkInterfaces", () => {
    throw error;
  });
  syncBuiltinESMExports();
  try {
    const resolved = resolver.resolve("localhost");
    await assert.rejects(resolved, error);
  } finally {
    broken.mock.restore();
    syncBuiltinESMExports();
  }
  assert.ok((await addressesOf(resolver, "localhost")).includes("127.0.0.1"));
});

test("silent names hold up no other name, are asked for once however many flows wait, and are given up", async () => {
  const resolver = newResolver();
  const dead = Array.from({ length: 100 }, (_, n) => resolver.resolve(`dead${n}.example`));
  let isGivenUp = false;
  const ends = Promise.allSettled([...dead, resolver.resolve("dead0.example")]);
  void Promise.race(dead).catch(() => (isGivenUp = true));
  assert.ok((await addressesOf(resolver, "origin.example")).includes("192.0.2.1"));
  assert.ok(!isGivenUp, "waited for the silent ones");
  assert.equal(server.asked.filter((question) => question === "A dead0.example").length, 1);
  const codes = (await ends).map((end) => end.status === "rejected" && end.reason.code);
  assert.deepEqual(new Set(codes), new Set(["EAI_AGAIN"]));
});

test("a peer with too many names under way gets no more names resolved; another peer does", async () => {
  // The server's buffer overflows here, which does not matter to this test.
  using flooded = await startNameServer({});
  const home = newResolver(flooded);
  const dead = Array.from({ length: 1_024 }, (_, n) => home.resolve(`dead${n}.example`));
  const ends = Promise.allSettled(dead);
  await assert.rejects(home.resolve("origin.example"), { code: "ENOBUFS" });
  assert.ok((await addressesOf(newResolver(), "origin.example")).includes("192.0.2.1"));
  await ends;
});
