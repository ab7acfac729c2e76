/** Roles and policies of lines, through real gateways: which lines carry data, and whether rates and quotas hold. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { GatewayEvent, PathStatus } from "@hawser/status-api/model";
import { tearDown } from "../lab/cleanup.ts";
import { Hawser, until } from "../lab/hawser.ts";
import { House } from "../lab/house.ts";
import { labMissing } from "../lab/requirements.ts";
import { download, type RunningOrigin, start, startOrigin, upload } from "../lab/traffic/run.ts";
import { reconfigure } from "./support.ts";

const DSL_BPS = 8e6;
const LTE_BPS = 20e6;
/** The share of a line's rate that is left for payload. */
const PAYLOAD = 0.95;
const QUOTA = 16e6;

suite("roles and policies", { skip: labMissing() ?? false }, () => {
  let house: House;
  let hawser: Hawser;
  let origin: RunningOrigin;

  before(async () => {
    house = await House.create({
      lines: [
        { name: "dsl", down: DSL_BPS, up: 2e6, delayMs: 12, queueMs: 150 },
        { name: "lte", down: LTE_BPS, up: 5e6, delayMs: 30, queueMs: 150 },
      ],
    });
    origin = await startOrigin(house.origin);
    hawser = await Hawser.start(house);
  });

  after(() => tearDown(hawser, house));

  const target = () => ({ host: house.addresses.origin.v4, port: origin.port });

  test("an overflow line carries under 1 % until the other is full, and is used in full then", async (t) => {
    await configureLte('role = "overflow"');
    const [dsl, lte] = await during(async () => {
      // Each download takes a third of a second of the line.
      for (let n = 0; n < 4; n++) await download(house.lan, { ...target(), bytes: 300e3 });
    });
    t.diagnostic(`${lte.down + lte.up} bytes beside ${dsl.down + dsl.up}`);
    assert.ok(dsl.down > 1.2e6);
    assert.ok(lte.down + lte.up < 0.01 * (dsl.down + dsl.up), `${lte.down + lte.up} bytes`);
    const { goodputBps } = await download(house.lan, { ...target(), seconds: 5, skipMs: 3_500 });
    t.diagnostic(`${(goodputBps / 1e6).toFixed(1)} Mbit/s when full`);
    assert.ok(goodputBps > 0.8 * PAYLOAD * (DSL_BPS + LTE_BPS), `${goodputBps} bit/s`);
    const events = (await hawser.remote.get("/api/events")) as GatewayEvent[];
    assert.match(
      events.find(({ type, path }) => type === "path-in-use" && path === "lte")?.message ?? "",
      /^lte is in use for downloads: the active lines were full (9[5-9]|100) % of the time$/,
    );
  });

  test("a backup line takes over when the other dies, and is left when that is back", async (t) => {
    await setRole("lte", "backup");
    const running = start(house.lan, { op: "download", ...target(), seconds: 7 });
    await sleep(1_000);
    assert.equal((await pathStatus("lte")).inUse, false);
    await house.line("dsl").set({ blackhole: true });
    await sleep(2_000);
    assert.equal((await pathStatus("lte")).inUse, true);
    await house.line("dsl").set({ blackhole: false });
    await until(async () => (await pathStatus("lte")).inUse === false);
    // Transfers under way on the line come to their end.
    await sleep(500);
    const [, lte] = await during(() => sleep(1_000));
    const { largestGapMs, error } = await running.result;
    t.diagnostic(`longest gap ${largestGapMs.toFixed(0)} ms; ${lte.down} bytes in the second after`);
    assert.equal(error, null);
    assert.ok(largestGapMs < 1_000, `nothing came for ${largestGapMs} ms`);
    assert.ok(lte.down < 20e3, `${lte.down} bytes`);
  });

  test("a rate of its own holds each way", async (t) => {
    await configureLte('max_rate = { down = "6 Mbit/s", up = "1 Mbit/s" }');
    await setRole("dsl", "disabled");
    for (const [op, transfer, limit] of [
      ["down", () => download(house.lan, { ...target(), seconds: 3 }), 6e6],
      ["up", () => upload(house.lan, { ...target(), bytes: 340e3 }), 1e6],
    ] as const) {
      const done = transfer();
      await sleep(800);
      const from = performance.now();
      const [, lte] = await during(() => sleep(1_500));
      const share = (lte[op] * 8_000) / (performance.now() - from) / limit;
      t.diagnostic(`${op}: ${share.toFixed(3)} of the rate`);
      assert.ok(share > 0.85 && share <= 1.03, `${share} of the rate ${op}`);
      await done;
    }
  });

  test("a quota outlives kill -9 and a restart, and is not overrun by a second of rate", async (t) => {
    await setRole("dsl", "active");
    const { down, up } = (await lineBytes())[1];
    await configureLte(`quota = { bytes = ${QUOTA}, when_reached = "disable" }`);
    const used = async (): Promise<number> => {
      const lte = (await lineBytes())[1];
      return lte.down + lte.up - down - up;
    };
    const first = startEndless();
    await sleep(1_500);
    hawser.local.process.kill("SIGKILL");
    await once(hawser.local.process, "exit");
    await first.stop();
    const before = await used();
    await hawser.startLocal();
    const counted = (await pathStatus("lte")).quota?.usedBytes ?? 0;
    t.diagnostic(`${counted} bytes counted of ${before} when it was killed`);
    assert.ok(counted >= before - LTE_BPS / 8 && counted < QUOTA, `${counted} of ${before} bytes`);
    const second = startEndless();
    await until(async () => (await pathStatus("lte")).quota?.reached === true);
    const after = await used();
    t.diagnostic(`${after} of ${QUOTA} bytes used`);
    const { role, roleInForce, roleReason, state } = await pathStatus("lte");
    assert.deepEqual([role, roleInForce, state], ["active", "disabled", "disabled"]);
    assert.match(roleReason, /^its quota of 16 MB is used up until \d{4}-\d{2}-01$/);
    const events = (await hawser.local.get("/api/events")) as GatewayEvent[];
    assert.deepEqual(
      events.flatMap(({ type, level, path }) => (type.startsWith("quota-") ? [[type, level, path]] : [])),
      [
        ["quota-warned", "warn", "lte"],
        ["quota-reached", "warn", "lte"],
      ],
    );
    assert.equal(
      events.findLast(({ type }) => type === "path-role")?.message,
      `lte is disabled now: ${roleReason}`,
    );
    assert.match(hawser.local.logText(), /quota of 16 MB is used up/);
    const [dsl] = await during(() => sleep(1_000));
    assert.ok(dsl.down > (0.8 * DSL_BPS) / 8, "the download goes on over the other line");
    await second.stop();
    const total = await used();
    assert.ok(total <= QUOTA + 0.1 * (LTE_BPS / 8), `${total} bytes`);
    await hawser.local.stop();
    await hawser.startLocal();
    assert.equal((await pathStatus("lte")).state, "disabled");
  });

  /** Gives the path lte these lines of configuration, and starts the local gateway with them. */
  async function configureLte(lines: string): Promise<void> {
    await reconfigure(hawser, (text) =>
      text.replace(/(name = "lte"\ninterface = "lte")[^[]*/, `$1\n${lines}\n`),
    );
  }

  /** Starts a download that goes on until it is stopped. */
  function startEndless() {
    const { process, result } = start(house.lan, { op: "download", ...target(), seconds: 60 });
    const over = result.catch(() => undefined);
    return {
      async stop(): Promise<void> {
        process.kill("SIGKILL");
        await over;
      },
    };
  }

  async function setRole(name: string, role: string): Promise<void> {
    const body = JSON.stringify({ role });
    const args = ["-f", "-X", "PATCH", "-H", "content-type: application/json", "-d", body];
    await hawser.local.curl(`/api/paths/${name}`, args);
  }

  /** A path's status as the end sees it that sends the downloads. Only the local end knows the quota. */
  async function pathStatus(name: string): Promise<PathStatus> {
    const [session] = (await hawser.remoteStatus()).sessions;
    const local = (await hawser.status()).session.paths.find((path) => path.name === name);
    const remote = session?.paths.find((path) => path.name === name);
    assert.ok(local);
    return { ...local, inUse: remote?.inUse ?? false };
  }

  /** The IP bytes that each line has delivered. */
  async function lineBytes() {
    const [dsl, lte] = await Promise.all(house.lines.map((line) => line.counters()));
    const bytes = (traffic: typeof dsl) => ({
      down: traffic?.down.deliveredBytes ?? 0,
      up: traffic?.up.deliveredBytes ?? 0,
    });
    return [bytes(dsl), bytes(lte)] as const;
  }

  async function during(act: () => Promise<unknown>) {
    const before = await lineBytes();
    await act();
    const after = await lineBytes();
    return [0, 1].map((i) => ({
      down: (after[i]?.down ?? 0) - (before[i]?.down ?? 0),
      up: (after[i]?.up ?? 0) - (before[i]?.up ?? 0),
    })) as [{ down: number; up: number }, { down: number; up: number }];
  }
});
