import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { createLogger } from "@hawser/gateway-kit";
import type { PathConfig } from "../config.ts";
import { RemoteAddresses } from "../remote-addresses.ts";
import type { SessionKeeper } from "../session-keeper.ts";
import type { LinkWatch } from "./link-watch.ts";
import { Path } from "./path.ts";
import { SubflowDialler } from "./subflow-dialler.ts";

const logger = createLogger({ role: "local", name: "test", level: "silent" });

test("a renewal waits for each joined subflow, and for no subflow of a dead line", async (t) => {
  let isJoined = false;
  const renewals: PromiseWithResolvers<void>[] = [];
  t.mock.getter(SubflowDialler.prototype, "subflow", () => (isJoined ? 1 : undefined));
  t.mock.method(SubflowDialler.prototype, "renew", () => {
    const renewal = Promise.withResolvers<void>();
    renewals.push(renewal);
    return renewal.promise;
  });
  const config = { name: "dsl", role: "active", subflows: 3 } as PathConfig;
  const keeper = { driver: { path: () => ({}) } } as unknown as SessionKeeper;
  const path = new Path(config, keeper, {} as LinkWatch, new RemoteAddresses(), logger);
  await path.renew();
  assert.equal(renewals.length, 3, "all are dialled, and no attempt is over");

  isJoined = true;
  const over = path.renew();
  assert.equal(renewals.length, 4);
  for (const each of [4, 5, 6]) {
    assert.equal(renewals.length, each, "one after another");
    renewals.at(-1)?.resolve();
    await setImmediate();
  }
  await over;
});

test("only the subflow whose keys are used up is dialled anew, and only once", (t) => {
  let isDialling = false;
  const renew = t.mock.method(SubflowDialler.prototype, "renew", () => {
    isDialling = true;
    return Promise.resolve();
  });
  let subflow = 0;
  t.mock.getter(SubflowDialler.prototype, "subflow", () => subflow++ % 3);
  t.mock.getter(SubflowDialler.prototype, "isDialling", () => isDialling);
  const connections = new Map([0, 1, 2].map((id) => [id, { keyUse: { isSpent: id === 1 } }]));
  const config = { name: "dsl", role: "active", subflows: 3 } as PathConfig;
  const keeper = { driver: { path: () => ({}), connections } } as unknown as SessionKeeper;
  const path = new Path(config, keeper, {} as LinkWatch, new RemoteAddresses(), logger);
  path.renewKeys();
  assert.equal(renew.mock.callCount(), 1);
  path.renewKeys();
  assert.equal(renew.mock.callCount(), 1, "an attempt is under way");
});
