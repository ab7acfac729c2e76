import assert from "node:assert/strict";
import { test } from "node:test";
import { createLogger } from "@hawser/gateway-kit";
import { EventLog } from "@hawser/status-api";
import { MAX_RESTORES, PAUSE_MS, RESTORE_SPAN_MS, RuleGuard } from "./rule-guard.ts";

const AMISS = ["ipv4 nat: the chain HAWSER is missing"];

class Scene {
  now = 1_000_000;
  readonly events = new EventLog();
  readonly guard = new RuleGuard(
    this.events,
    createLogger({ role: "local", name: "test", level: "silent" }),
    () => this.now,
  );

  get told(): string[] {
    return [...this.events.since(0)].map(({ type }) => type.replace("rules-", ""));
  }

  /** Another program removes the rules `times` times. Returns how often they were put back. */
  fight(times: number, everyMs: number): number {
    let restored = 0;
    for (let i = 0; i < times; i++) {
      this.now += everyMs;
      if (!this.guard.handleLost(AMISS, "nft")) continue;
      assert.match(
        this.guard.trouble ?? "",
        /not in place \(ipv4 nat: the chain HAWSER is missing, changed by "nft"\)/,
      );
      this.guard.handleInPlace(true);
      restored++;
    }
    return restored;
  }
}

test("losing the rules and putting them back are an event each, with the difference, the program and the time", () => {
  const scene = new Scene();
  scene.guard.handleInPlace(true);
  assert.deepEqual(scene.told, []);
  assert.equal(scene.guard.handleLost(AMISS, "nft"), true);
  scene.now += 1_200;
  scene.guard.handleInPlace(true);
  scene.guard.handleInPlace(false);
  assert.deepEqual(scene.told, ["lost", "restored"]);
  const [lost, restored] = [...scene.events.since(0)];
  assert.equal(lost?.level, "warn");
  assert.match(lost?.message ?? "", /chain HAWSER is missing, changed by "nft"/);
  assert.match(restored?.message ?? "", /put back after 1\.2 s/);
  assert.equal(scene.guard.trouble, undefined);
});

test("when a program removes the rules again and again, the gateway gives in for a while, and says so", () => {
  const scene = new Scene();
  assert.equal(scene.fight(10, 1_000), MAX_RESTORES);
  assert.deepEqual(scene.told.slice(-2), ["lost", "given-up"]);
  assert.match(
    scene.guard.trouble ?? "",
    /put back 5 times, and "nft" took them away again each time.*systemctl reload/,
  );
  const told = scene.told.length;
  assert.equal(scene.guard.handleLost(AMISS, "nft"), false);
  assert.equal(scene.told.length, told, "once is enough");
  scene.now += PAUSE_MS;
  assert.equal(scene.fight(10, 1_000), MAX_RESTORES);
  assert.deepEqual(scene.told.slice(-1), ["given-up"]);
  scene.guard.handleAsked();
  assert.equal(scene.fight(1, 1_000), 1);
});

test("the other program may put the rules back itself; a firewall that is reloaded now and then does not count as a fight", () => {
  const scene = new Scene();
  scene.fight(10, 1_000);
  scene.guard.handleInPlace(false);
  assert.match([...scene.events.since(0)].at(-1)?.message ?? "", /are in place again after/);
  assert.equal(scene.guard.trouble, undefined);
  assert.equal(scene.fight(50, RESTORE_SPAN_MS / MAX_RESTORES), 50);
});

test("a failure to put the rules in place is logged once for each reason", () => {
  const scene = new Scene();
  scene.guard.handleFailed("the lock is held");
  assert.match(scene.guard.trouble ?? "", /could not be put in place: the lock is held/);
  scene.guard.handleInPlace(true);
  assert.equal(scene.guard.trouble, undefined);
});
