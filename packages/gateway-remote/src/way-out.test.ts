import assert from "node:assert/strict";
import { test } from "node:test";
import { createLogger } from "@hawser/gateway-kit";
import type { EgressFamilies } from "@hawser/shared-protocol";
import { type FamilyFacts, WayOut } from "./way-out.ts";

const logger = createLogger({ role: "remote", name: "test", level: "silent" });
const ROUTE: FamilyFacts = { hasRoute: true, hasAddress: true };
const ADDRESS: FamilyFacts = { hasRoute: false, hasAddress: true };
const NOTHING: FamilyFacts = { hasRoute: false, hasAddress: false };

/** A machine whose facts the test changes, and a record of what its homes were told. */
function play(ipv4: FamilyFacts, ipv6: FamilyFacts) {
  const facts = { ipv4, ipv6 };
  const told: EgressFamilies[] = [];
  const wayOut = new WayOut(
    logger,
    (families) => told.push(families),
    () => Promise.resolve({ ...facts }),
  );
  return { facts, told, wayOut };
}

test("a machine without an address of a family has no way out by that family, until it gets an address", async () => {
  const { facts, told, wayOut } = play(ROUTE, NOTHING);
  await wayOut.look();
  await wayOut.look();
  assert.deepEqual(told, [{ ipv4: true, ipv6: false }]);
  facts.ipv6 = ROUTE;
  await wayOut.look();
  assert.deepEqual(told.at(-1), { ipv4: true, ipv6: true });
  facts.ipv4 = NOTHING;
  await wayOut.look();
  assert.deepEqual(told.at(-1), { ipv4: false, ipv6: true });
});

test("an address without a route to the Internet counts until a destination is unreachable, and again a minute later", async () => {
  const { told, wayOut } = play(ROUTE, ADDRESS);
  await wayOut.look(0);
  assert.deepEqual(told, []);
  wayOut.noteUnreachable(1_000);
  await wayOut.look(1_001);
  assert.deepEqual(told, [{ ipv4: true, ipv6: false }]);
  await wayOut.look(60_999);
  assert.equal(told.length, 1);
  await wayOut.look(61_001);
  assert.deepEqual(told.at(-1), { ipv4: true, ipv6: true });
  wayOut.stop();
});

test("with a route, single unreachable destinations say nothing about the family", async () => {
  const { told, wayOut } = play(ROUTE, ROUTE);
  wayOut.noteUnreachable(1_000);
  await wayOut.look(1_001);
  assert.deepEqual(told, []);
});

test("the facts of this machine can be read, and a stopped gateway follows no more changes", async () => {
  const wayOut = new WayOut(logger, () => {});
  await wayOut.start();
  assert.equal(typeof wayOut.families.ipv6, "boolean");
  wayOut.stop();
});
