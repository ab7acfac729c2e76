/**
 * Gateways that nobody uses sleep. This test fails when a new timer wakes them, and prints the lines of source that set
 * timers: run `npm test -- e2e/idle`.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Gateway, Hawser } from "../lab/hawser.ts";
import { House } from "../lab/house.ts";
import { labMissing } from "../lab/requirements.ts";

/** The work that the start leaves behind is over after this time, milliseconds. */
const SETTLE_MS = 15_000;
const SECONDS = 20;
/**
 * Wake-ups a second. Each gateway needs three: its clock, and a PING or its answer on each of two lines. Reading the
 * rules adds one or two. One timer of 100 ms adds ten.
 */
const MOST_WAKE_UPS = 10;
/** Share of one core, on a machine that others use, too. On an idle machine it is a tenth of this. */
const MOST_CPU = 0.02;
const ORIGINS = fileURLToPath(new URL("../lab/timer-origins.mjs", import.meta.url));

/** The lines of source whose timers have fired, as timer-origins.mjs prints them. */
async function timersOf(gateway: Gateway): Promise<string[]> {
  gateway.process.kill("SIGUSR2");
  await sleep(500);
  return gateway.logText().match(/^timer .*$/gm) ?? [];
}

test("two idle gateways with two lines are hardly woken", {
  skip: labMissing() ?? false,
  timeout: 120_000,
}, async (t) => {
  const lines = [1, 2].map((n) => ({ name: `dsl${n}`, down: 50e6, up: 10e6, delayMs: 8 * n }));
  await using house = await House.create({ lines });
  await using hawser = await Hawser.start(house, { nodeOptions: `--import=${ORIGINS}` });
  await sleep(SETTLE_MS);
  const gateways = { local: hawser.local, remote: hawser.remote };
  for (const gateway of Object.values(gateways)) await timersOf(gateway);
  const counts = (gateway: Gateway) => ({ wakeUps: gateway.wakeUps(), cpu: gateway.cpuSeconds() });
  const before = { local: counts(hawser.local), remote: counts(hawser.remote) };
  await sleep(1_000 * SECONDS);
  for (const name of ["local", "remote"] as const) {
    const gateway = gateways[name];
    const now = counts(gateway);
    const wakeUps = (now.wakeUps - before[name].wakeUps) / SECONDS;
    const cpu = (now.cpu - before[name].cpu) / SECONDS;
    const timers = (await timersOf(gateway)).slice(-20).join("\n");
    t.diagnostic(`${name}: ${wakeUps.toFixed(1)} wake-ups a second, ${(100 * cpu).toFixed(2)} % of a core`);
    assert.ok(wakeUps < MOST_WAKE_UPS, `${name} is woken ${wakeUps} times a second\n${timers}`);
    assert.ok(cpu < MOST_CPU, `${name} takes ${100 * cpu} % of a core`);
  }
});
