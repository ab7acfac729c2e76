import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { createLogger } from "@hawser/gateway-kit";
import { IpSetErrno, SystemError } from "@hawser/linux-sockets";
import { StreamCode } from "@hawser/shared-protocol";
import { FailedDestinations } from "./failed-destinations.ts";
import { FakeSets } from "./testing.ts";

const logger = createLogger({ role: "local", name: "test", level: "silent" });
const WEB = { host: "198.51.100.10", port: 443 };
const WEB6 = { host: "2001:db8::10", port: 443 };

async function begun(): Promise<{ failed: FailedDestinations; sets: FakeSets }> {
  const sets = new FakeSets();
  const failed = new FailedDestinations(logger, () => sets);
  await failed.prepare();
  return { failed, sets };
}

const inSet = (sets: FakeSets, name: string): string[] => [...(sets.sets.get(`HAWSER.${name}`) ?? [])];

test("destinations that refused and destinations that could not be reached have sets of their own, by family", async () => {
  const { failed, sets } = await begun();
  failed.handleFailed(WEB, StreamCode.refused);
  failed.handleFailed(WEB6, StreamCode.refused);
  failed.handleFailed({ ...WEB, port: 80 }, StreamCode.hostUnreachable);
  failed.handleFailed({ ...WEB, port: 81 }, StreamCode.networkUnreachable);
  failed.handleFailed({ ...WEB6, port: 80 }, StreamCode.timeout);
  assert.deepEqual(inSet(sets, "refused.ipv4"), ["198.51.100.10 443"]);
  assert.deepEqual(inSet(sets, "refused.ipv6"), ["2001:db8::10 443"]);
  assert.deepEqual(inSet(sets, "unreachable.ipv4"), ["198.51.100.10 80", "198.51.100.10 81"]);
  assert.deepEqual(inSet(sets, "unreachable.ipv6"), ["2001:db8::10 80"]);
});

test("failures that say nothing about the destination are not remembered, and names are not", async () => {
  const { failed, sets } = await begun();
  for (const code of [StreamCode.reset, StreamCode.overloaded, StreamCode.shutdown, StreamCode.notAllowed])
    failed.handleFailed(WEB, code);
  failed.handleFailed({ host: "www.example", port: 443 }, StreamCode.refused);
  for (const set of sets.sets.values()) assert.equal(set.size, 0);
});

test("a destination is forgotten when a flow to it opens, and moves to another set when it fails in another way", async () => {
  const { failed, sets } = await begun();
  failed.handleFailed(WEB, StreamCode.refused);
  failed.handleFailed(WEB, StreamCode.timeout);
  assert.deepEqual(inSet(sets, "refused.ipv4"), []);
  assert.deepEqual(inSet(sets, "unreachable.ipv4"), ["198.51.100.10 443"]);
  failed.handleOpened(WEB6);
  failed.handleOpened(WEB);
  assert.deepEqual(inSet(sets, "unreachable.ipv4"), []);
});

test("at most 4096 destinations are remembered, until their time is over", async (context) => {
  const { failed, sets } = await begun();
  let now = 1_000;
  mock.method(performance, "now", () => now);
  context.after(() => mock.restoreAll());
  for (let port = 1; port <= 5_000; port++) failed.handleFailed({ ...WEB, port }, StreamCode.refused);
  assert.equal(inSet(sets, "refused.ipv4").length, 4_096);
  now += 10_001;
  failed.handleFailed(WEB6, StreamCode.refused);
  assert.deepEqual(inSet(sets, "refused.ipv6"), ["2001:db8::10 443"]);
});

test("the start empties the sets of an earlier run; a change of rules keeps the remembered destinations", async () => {
  const sets = new FakeSets();
  sets.sets.set("HAWSER.refused.ipv4", new Set(["192.0.2.1 80"]));
  const failed = new FailedDestinations(logger, () => sets);
  assert.equal(failed.hasSets, false);
  await failed.prepare();
  assert.equal(failed.hasSets, true);
  assert.deepEqual(inSet(sets, "refused.ipv4"), []);
  failed.handleFailed(WEB, StreamCode.refused);
  await failed.prepare();
  assert.deepEqual(inSet(sets, "refused.ipv4"), ["198.51.100.10 443"]);
});

test("sets that another program has removed are created again before the rules", async () => {
  const { failed, sets } = await begun();
  failed.handleFailed(WEB, StreamCode.refused);
  sets.sets.clear();
  // The kernel has no such set, and nothing breaks.
  failed.handleFailed(WEB6, StreamCode.refused);
  await failed.prepare();
  assert.deepEqual([...sets.sets.keys()].length, 4);
  failed.handleFailed(WEB, StreamCode.refused);
  assert.deepEqual(inSet(sets, "refused.ipv4"), ["198.51.100.10 443"]);
});

test("a kernel without sets: nothing is remembered, and nothing fails", async () => {
  const sets = new FakeSets();
  const failed = new FailedDestinations(logger, () => sets);
  sets.failure = new SystemError("EINVAL", 22, "netlink", "the kernel refused a netlink request");
  await failed.prepare();
  assert.equal(failed.hasSets, false);
  assert.equal(sets.isClosed, true);
  failed.handleFailed(WEB, StreamCode.refused);
  failed.handleOpened(WEB);
  await failed.end();
});

test("the end removes the sets, even those that the kernel releases late", async () => {
  const { failed, sets } = await begun();
  const { destroy } = sets;
  let refusals = 3;
  sets.destroy = (name) => {
    if (refusals-- > 0) return Promise.reject(new SystemError("E4100", IpSetErrno.busy, "netlink", "busy"));
    return destroy(name);
  };
  await failed.end();
  assert.equal(sets.sets.size, 0);
  assert.equal(failed.hasSets, false);
  await failed.prepare();
  assert.equal(failed.hasSets, true);
});
