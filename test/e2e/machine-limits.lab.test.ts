/**
 * Descriptors and memory of the machine run out while a flow is open. The flow goes on, no gateway spins, and when the
 * shortage ends all is as before.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import type { Socket } from "node:net";
import { after, afterEach, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { STREAM_BYTES } from "@hawser/multipath-engine/testing";
import { type Gateway, Hawser, type HawserOptions, SOCKS_PORT, until } from "../lab/hawser.ts";
import { House } from "../lab/house.ts";
import { labMissing } from "../lab/requirements.ts";
import { ORIGIN_PORT, startOrigin } from "../lab/traffic/run.ts";
import {
  type Address,
  ask,
  connectFrom,
  destroySockets,
  type Listener,
  listenIn,
  pair,
  Reader,
} from "./sockets.ts";

/** `ulimit -n`: a gateway alone has about 30 open. */
const DESCRIPTORS = 160;
/** More connections than any limit of these tests admits. */
const MANY = 400;
const FORWARD_PORT = 8022;
const STATUS_PORT = 8080;
/** The device on the LAN that opens many connections. */
const GREEDY = "192.168.77.3";
const WATCHED_MS = 1_000;
/** The most CPU-seconds in that time of a gateway that only carries a byte now and then. */
const IDLE = 0.3;

describe("the machine's limits", { skip: labMissing() ?? false, timeout: 180_000 }, () => {
  let house: House;
  let listener: Listener;
  before(async () => {
    house = await House.create({ lines: [{ name: "adsl1", kind: "veth" }] });
    await house.lan.ip([`addr add ${GREEDY}/24 dev eth0 noprefixroute`]);
    await startOrigin(house.origin);
    listener = await listenIn(house.origin);
  });
  after(() => house?.close());
  afterEach(destroySockets);

  /** Runs `use` with both gateways, and with one flow open. */
  async function withFlow(
    options: HawserOptions,
    use: (hawser: Hawser, assertFlowGoesOn: () => Promise<void>) => Promise<void>,
  ): Promise<void> {
    await using hawser = await Hawser.start(house, options);
    const { client, server } = await pair(house.lan, { ...origin(), port: listener.port }, listener);
    const reader = new Reader(server);
    let sent = 0;
    try {
      await use(hawser, async () => {
        client.write("x");
        await reader.bytes(++sent);
      });
    } finally {
      // So that the stopping gateways have no flow to wait for.
      destroySockets();
    }
  }

  const withForward = (): string =>
    `[[forward]]\nlisten = "0.0.0.0:${FORWARD_PORT}"\nto = "${origin().host}:${ORIGIN_PORT}"`;
  const origin = (): Address => ({ host: house.addresses.origin.v4, port: ORIGIN_PORT });
  const works = async (): Promise<boolean> => (await ask(house.lan, origin(), "ONE\n")) === "1";

  /** Opens connections to `address`, and counts how many of them have been reset so far. */
  function crowd(
    from: "lan" | "router" | "origin",
    address: Address,
    { count = MANY, localAddress }: { count?: number; localAddress?: string } = {},
  ): { sockets: Socket[]; resets: number } {
    const crowd = { sockets: [] as Socket[], resets: 0 };
    for (let i = 0; i < count; i++) {
      const socket = connectFrom(house[from], address, localAddress === undefined ? {} : { localAddress });
      socket.on("error", (error: NodeJS.ErrnoException) => {
        if (error.code === "ECONNRESET") crowd.resets++;
      });
      crowd.sockets.push(socket.resume());
    }
    return crowd;
  }

  /** Asserts that the gateway answers and does not spin. */
  async function assertCalm(gateway: Gateway): Promise<void> {
    const before = gateway.cpuSeconds();
    await sleep(WATCHED_MS);
    assert.ok(await gateway.isAnswering());
    const used = gateway.cpuSeconds() - before;
    assert.ok(used < IDLE, `${used} CPU-seconds in ${WATCHED_MS} ms`);
  }

  async function leave({ sockets }: { sockets: readonly Socket[] }): Promise<void> {
    const closed = sockets.filter((socket) => !socket.closed).map((socket) => once(socket, "close"));
    for (const socket of sockets) socket.on("error", () => {}).resetAndDestroy();
    await Promise.all(closed);
  }

  test("the local gateway's descriptors: one client has its share, and another is served", async () => {
    await withFlow(
      { extra: withForward(), maxDescriptors: { local: DESCRIPTORS } },
      async (hawser, assertFlowGoesOn) => {
        const router = house.addresses.lan.router.v4;
        for (const address of [origin(), { host: router, port: FORWARD_PORT }]) {
          const many = crowd("lan", address, { localAddress: GREEDY });
          await until(async () => many.resets > MANY / 2);
          for (let n = 0; n < 5; n++) assert.ok(await works());
          await assertFlowGoesOn();
          await assertCalm(hawser.local);
          assert.equal((await hawser.status()).flowRoom?.greedy?.source, GREEDY);
          await leave(many);
          await until(async () => (await hawser.status()).session.flows.open === 1);
        }
        const lines = hawser.local.logText().match(/refused a flow/g) ?? [];
        assert.ok(lines.length < 40, `${lines.length} lines`);
      },
    );
  });

  test("the local gateway has no descriptor left: connections of all listeners wait, and are served later", async () => {
    await withFlow(
      { extra: withForward(), maxDescriptors: { local: DESCRIPTORS } },
      async (hawser, assertFlowGoesOn) => {
        const silent = [1, 2].map((n) =>
          crowd(
            "router",
            { host: "127.0.0.1", port: STATUS_PORT },
            { count: 50, localAddress: `127.0.0.${n}` },
          ),
        );
        const held = (): number => readdirSync(`/proc/${hawser.local.process.pid}/fd`).length;
        await until(async () => held() > 0.8 * DESCRIPTORS);
        const router = house.addresses.lan.router.v4;
        const late: Reader[] = [];
        for (const [key, address] of [
          ["capture.listen[0]", origin()],
          ["forward[0].listen", { host: router, port: FORWARD_PORT }],
        ] as const) {
          // The first connection is served, or waits.
          for (let n = 0; n < 2; n++) {
            const socket = connectFrom(house.lan, address);
            late.push(new Reader(socket));
            socket.end("ONE\n");
            const note = `"listener":"${key}","limit":${DESCRIPTORS},"msg":"descriptors run short`;
            await until(async () => hawser.local.logText().includes(note));
          }
        }
        await assertFlowGoesOn();
        for (const each of silent) await leave(each);
        for (const reader of late) {
          await reader.end();
          assert.equal(reader.text, "1");
        }
        await assertCalm(hawser.local);
        const lines = hawser.local.logText().match(/descriptors run short|accepts connections again/g) ?? [];
        assert.ok(lines.length < 40, `${lines.length} lines`);
      },
    );
  });

  test("SOCKS clients that stay after a refusal make no other client wait", async () => {
    await withFlow({ maxDescriptors: { local: DESCRIPTORS } }, async (hawser, assertFlowGoesOn) => {
      const proxy = { host: house.addresses.lan.router.v4, port: SOCKS_PORT };
      // No server listens on this port, so the remote gateway refuses.
      const request = [5, 1, 0, 5, 1, 0, 1, ...origin().host.split(".").map(Number), 0, 1];
      for (let n = 0; n < MANY; n++) {
        const socket = connectFrom(house.lan, proxy);
        const reader = new Reader(socket);
        socket.write(Buffer.from(request));
        await reader.bytes(2 + 10);
        assert.equal(reader.text.charCodeAt(3), 5);
      }
      assert.match(await ask(house.lan, origin(), "WHO\n"), /^::ffff:/);
      await assertFlowGoesOn();
      assert.doesNotMatch(hawser.local.logText(), /descriptors run short/);
    });
  });

  test("the remote gateway's descriptors: flows are refused, strangers displace each other", async () => {
    await withFlow({ maxDescriptors: { remote: DESCRIPTORS } }, async (hawser, assertFlowGoesOn) => {
      const many = crowd("lan", origin());
      await until(async () => many.resets > MANY / 2);
      await assertFlowGoesOn();
      await assertCalm(hawser.remote);
      const strangers = crowd("origin", { host: house.addresses.remote.v4, port: 4433 });
      await until(async () => strangers.resets > MANY / 2);
      await assertFlowGoesOn();
      await assertCalm(hawser.remote);
      await Promise.all([leave(many), leave(strangers)]);
      await until(works);
      await assertFlowGoesOn();
    });
  });

  test("the memory cap: one client has its share, another is served, the open flow goes on", async () => {
    const extra = '[limits]\nmemory = "16MiB"';
    await withFlow({ extra }, async (hawser, assertFlowGoesOn) => {
      // Half of the memory is for what flows take by themselves.
      const room = (8 * 2 ** 20) / STREAM_BYTES;
      const count = Math.ceil(1.3 * room);
      const many = crowd("lan", origin(), { count, localAddress: GREEDY });
      await until(async () => many.resets >= count - room);
      for (let n = 0; n < 5; n++) assert.ok(await works());
      await assertFlowGoesOn();
      await assertCalm(hawser.local);
      const { stdout } = await hawser.local.curl("/metrics");
      assert.match(stdout, /^hawser_connections_refused_total\{listener="redirect",reason="share"\} \d/m);
      await leave(many);
      await until(works);
      await assertFlowGoesOn();
      const lines = hawser.local.logText().match(/refused a flow/g) ?? [];
      assert.ok(lines.length <= 10, `${lines.length} lines`);
    });
  });
});
