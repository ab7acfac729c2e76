/** The cost of subflows that carry nothing, for either gateway and for others' traffic. */
import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Hawser, until } from "../lab/hawser.ts";
import { House } from "../lab/house.ts";
import { labMissing } from "../lab/requirements.ts";
import { download, ORIGIN_PORT, startOrigin } from "../lab/traffic/run.ts";
import { runProgram } from "./support.ts";

const SECONDS = 8;
const SETTLE_MS = 2_000;
/** Share of one core. On an idle machine it is less than a third of this. */
const MOST_IDLE = 0.1;
const RATE = 30e6;
const PEER = fileURLToPath(new URL("idle-peer.ts", import.meta.url));

/** The shares of a core that both gateways take while they have nothing to do. */
async function idle({ local, remote }: Hawser): Promise<{ local: number; remote: number }> {
  await sleep(SETTLE_MS);
  const before = [local.cpuSeconds(), remote.cpuSeconds()] as const;
  await sleep(1_000 * SECONDS);
  return {
    local: (local.cpuSeconds() - before[0]) / SECONDS,
    remote: (remote.cpuSeconds() - before[1]) / SECONDS,
  };
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

describe("idle subflows", { skip: labMissing() ?? false, timeout: 300_000 }, () => {
  test("64 of an honest home, 4 lines with 16 each, cost neither end much", async (t) => {
    const lines = [1, 2, 3, 4].map((n) => ({ name: `line${n}`, kind: "veth" }) as const);
    await using house = await House.create({ lines });
    await using hawser = await Hawser.start(house, { subflows: 16 });
    const shares = await idle(hawser);
    t.diagnostic(`local ${percent(shares.local)}, remote ${percent(shares.remote)} of a core`);
    assert.ok(shares.local < MOST_IDLE && shares.remote < MOST_IDLE);
  });

  test("256 of other paired peers cost the remote gateway little, and a home's download nothing", async (t) => {
    await using house = await House.create({
      lines: [1, 2].map((n) => ({ name: `dsl${n}`, down: RATE, up: 10e6, delayMs: 10 })),
    });
    await startOrigin(house.origin);
    await using hawser = await Hawser.start(house);
    const rate = async (): Promise<number> => {
      const task = { host: house.addresses.origin.v4, port: ORIGIN_PORT, seconds: 4 };
      return (await download(house.lan, task)).goodputBps;
    };
    await rate();
    const alone = await rate();
    const before = await idle(hawser);
    const peers = await Promise.all([1, 2].map((n) => startPeer(hawser, `peer${n}`)));
    const shares = await idle(hawser);
    const beside = await rate();
    t.diagnostic(
      `remote ${percent(before.remote)} of a core idle before, ${percent(shares.remote)} with them; ${(alone / 1e6).toFixed(1)} Mbit/s alone, ` +
        `${(beside / 1e6).toFixed(1)} beside them`,
    );
    const { sessions } = await hawser.remoteStatus();
    const alive = sessions.flatMap(({ paths }) => paths).reduce((sum, { subflows }) => sum + subflows, 0);
    for (const peer of peers) peer.kill();
    assert.ok(alive >= 256, `${alive} subflows are left`);
    assert.ok(shares.remote < MOST_IDLE);
    assert.ok(beside > 0.8 * alone);
  });
});

/** Joins with as many subflows as a peer may have. */
async function startPeer(hawser: Hawser, name: string): Promise<ChildProcess> {
  const config = ["-c", hawser.file("remote.toml")];
  const { house } = hawser;
  const { stdout } = await runProgram(house.remote, "hawser-remote", ["pair", name, ...config]);
  // It tries only once: the gateway must have read who is new.
  await until(async () => hawser.remote.logText().includes(`"${name}"`));
  const peer = house.origin.spawn(process.execPath, [PEER, "128", "64"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  peer.stdin?.end(stdout);
  const ended = once(peer, "exit").then(() => [Buffer.from("it has ended")]);
  const [report] = (await Promise.race([once(peer.stdout as NodeJS.ReadableStream, "data"), ended])) as [
    Buffer,
  ];
  assert.equal(report.toString().trim(), "128 0");
  return peer;
}
