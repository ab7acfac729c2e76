import assert from "node:assert/strict";
import { test } from "node:test";
import { createLogger } from "@hawser/gateway-kit";
import { generateSecret } from "@hawser/shared-protocol";
import { parseRemoteFile, type RemoteConfig } from "../config.ts";
import { PeerAccesses } from "./peer-access.ts";

const MB = 2 ** 20;
const logger = createLogger({ role: "remote", name: "test", level: "silent" });

function config(text: string): RemoteConfig {
  const withKeys = text.replaceAll(
    "[[peer]]",
    () => `[[peer]]\nkey = "${generateSecret().revealBase64url()}"`,
  );
  const { peer, status, ...rest } = parseRemoteFile(`listen = ["0.0.0.0:4433"]\n${withKeys}`, "remote.toml");
  return {
    ...rest,
    identity: generateSecret(),
    peers: peer,
    problems: [],
    status: { ...status, token: undefined },
  };
}

function allowed(accesses: PeerAccesses, peer: string, host: string, port: number): boolean {
  return accesses.of(peer).policy.whyDenied(host, port) === undefined;
}

test("a peer's allow replaces the common one, its deny adds to it; a change holds at once", () => {
  const accesses = new PeerAccesses(
    config(`[egress]
allow = ["public", "10.0.0.0/8"]
deny = ["*:25"]
[[peer]]
name = "home"
[[peer]]
name = "shop"
allow = ["203.0.113.0/24", "127.0.0.1:5432"]
deny = ["203.0.113.9"]
`),
    logger,
  );
  const destinations: [string, number][] = [
    ["1.1.1.1", 443],
    ["1.1.1.1", 25],
    ["10.1.1.1", 22],
    ["203.0.113.1", 443],
    ["203.0.113.1", 25],
    ["203.0.113.9", 443],
    ["127.0.0.1", 5432],
  ];
  const table = (peer: string): string =>
    destinations.map(([host, port]) => (allowed(accesses, peer, host, port) ? "+" : "-")).join("");
  assert.equal(table("home"), "+-++-+-");
  assert.equal(table("shop"), "---+--+");
  const home = accesses.of("home");
  accesses.handleConfig(config('[[peer]]\nname = "home"\nallow = []\n'));
  assert.equal(accesses.of("home"), home);
  assert.equal(table("home"), "-------");
  assert.throws(() => accesses.of("shop"));
});

test("one peer has all memory, one of several three quarters, and one with a limit that", () => {
  const accesses = new PeerAccesses(config('[limits]\nmemory = "64MiB"\n[[peer]]\nname = "home"\n'), logger);
  assert.equal(accesses.of("home").memory.cap, 64 * MB);
  const more =
    '[limits]\nmemory = "64MiB"\n[[peer]]\nname = "home"\n[[peer]]\nname = "shop"\nmax_bytes_in_flight = "4MiB"\n';
  accesses.handleConfig(config(more));
  assert.deepEqual([accesses.of("home").memory.cap, accesses.of("shop").memory.cap], [48 * MB, 4 * MB]);
  const { memory } = accesses.of("shop");
  while (!memory.isSpent) memory.addStream();
  assert.ok(memory.heldToRead <= 2 * MB);
  assert.deepEqual([memory.isSpent, accesses.of("home").memory.isSpent], [true, false]);
});
