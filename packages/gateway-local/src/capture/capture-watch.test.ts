import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { createLogger } from "@hawser/gateway-kit";
import { EventLog } from "@hawser/status-api";
import type { Runner } from "iptables-wrapper";
import { CaptureWatch } from "./capture-watch.ts";

const logger = createLogger({ role: "local", name: "test", level: "silent" });

test("a firewall that drops redirected connections is reported once, and so is its end; each family by itself", async () => {
  let redirected = 0;
  const accepted = { ipv4: 0, ipv6: 0 };
  const runner: Runner = {
    run: async (command) => {
      const packets = command === "iptables-save" ? redirected : 0;
      const stdout = `*nat\n[${packets}:9] -A HAWSER -p tcp -j REDIRECT --to-ports 1\n[7:9] -A DOCKER -j REDIRECT\n`;
      return { code: 0, stdout, stderr: "" };
    },
  };
  const events = new EventLog();
  const watch = new CaptureWatch(["ipv4", "ipv6"], (family) => accepted[family], runner, events, logger);
  const states = (): string =>
    watch
      .status()
      .map(({ state }) => state)
      .join(" ");
  const told = (): string =>
    events
      .since()
      .map(({ type }) => type)
      .join(" ");
  await watch.sample();
  redirected = 4;
  await watch.sample();
  assert.deepEqual([states(), told()], ["unproven unproven", ""]);
  await watch.sample();
  await watch.sample();
  assert.deepEqual([states(), told()], ["blocked unproven", "capture-blocked"]);
  assert.deepEqual(watch.status()[0], { family: "ipv4", state: "blocked", accepted: 0, redirected: 4 });
  accepted.ipv4 = 1;
  await watch.sample();
  assert.deepEqual([states(), told()], ["arrives unproven", "capture-blocked capture-back"]);
});

test("without the right to read the rules it asks no more, and only counts accepted connections", async () => {
  let asked = 0;
  const runner: Runner = {
    run: async () => {
      asked++;
      return { code: 4, stdout: "", stderr: "Permission denied (you must be root)" };
    },
  };
  const watch = new CaptureWatch(["ipv4"], () => 3, runner, new EventLog(), logger);
  await watch.sample();
  await watch.sample();
  assert.equal(asked, 1);
  assert.deepEqual(watch.status(), [{ family: "ipv4", state: "arrives", accepted: 3, redirected: null }]);
});

test("the counters are read every ten seconds while connections come, and once a minute while none do", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let [asked, redirected] = [0, 0];
  const runner: Runner = {
    run: async () => {
      asked++;
      const stdout = `*nat\n[${redirected}:9] -A HAWSER -p tcp -j REDIRECT --to-ports 1\n`;
      return { code: 0, stdout, stderr: "" };
    },
  };
  const watch = new CaptureWatch(["ipv4"], () => 0, runner, new EventLog(), logger);
  /** How often the counters are read in this many seconds. */
  const readings = async (seconds: number): Promise<number> => {
    const before = asked;
    for (let second = 0; second < seconds; second++) {
      t.mock.timers.tick(1_000);
      await setImmediate();
    }
    return asked - before;
  };
  watch.start();
  await readings(300);
  assert.equal(await readings(600), 10);
  redirected = 5;
  await readings(80);
  assert.equal(watch.status()[0]?.state, "blocked");
  watch.stop();
  assert.equal(await readings(600), 0);
});
