import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { Socket } from "node:net";
import { after, afterEach, before, describe, test } from "node:test";
import { Hawser, SOCKS_PORT, until } from "../lab/hawser.ts";
import { House } from "../lab/house.ts";
import { labMissing } from "../lab/requirements.ts";
import { giveEtc } from "./etc.ts";
import { connectFrom, destroySockets, type Listener, listenIn, Reader } from "./sockets.ts";
import { greetAndConnect } from "./socks-client.ts";

const SUCCEEDED = 0;
const GENERAL_FAILURE = 1;
const NOT_ALLOWED = 2;

describe("what a home may reach", { skip: labMissing() ?? false, timeout: 180_000 }, () => {
  let house: House;
  let hawser: Hawser;
  let etc: Disposable;
  /** A service of the VPS's own, on all of its addresses, and a service on the Internet. */
  let inside: Listener;
  let outside: Listener;
  /** The text of the peer's file as `pair` wrote it. */
  let written: string;
  before(async () => {
    house = await House.create({ lines: [{ name: "adsl1", kind: "veth" }] });
    const { origin } = house.addresses;
    const hosts = [
      "127.0.0.1 localhost inside.example",
      "fd00::1 mixed.example",
      `${origin.v4} mixed.example outside.example`,
    ];
    etc = giveEtc(house.remote, { hosts: `${hosts.join("\n")}\n`, "resolv.conf": "nameserver 127.0.0.1\n" });
    inside = await listenIn(house.remote);
    outside = await listenIn(house.origin);
    hawser = await Hawser.start(house);
    written = readFileSync(hawser.file("peers/home.toml"), "utf8");
  });
  afterEach(destroySockets);
  after(async () => {
    inside?.close();
    outside?.close();
    await hawser?.stop();
    await house?.close();
    etc?.[Symbol.dispose]();
  });

  /** A SOCKS client's connection, and the code of the reply. */
  async function ask(host: string, port: number): Promise<{ reply: number; socket: Socket; reader: Reader }> {
    const socket = connectFrom(house.lan, { host: house.addresses.lan.router.v4, port: SOCKS_PORT });
    const reader = new Reader(socket);
    socket.write(greetAndConnect(host, port));
    await reader.bytes(2 + 10);
    return { reply: reader.text.charCodeAt(3), socket, reader };
  }

  async function replyOf(host: string, port = inside.port): Promise<number> {
    const { reply, socket } = await ask(host, port);
    socket.destroy();
    return reply;
  }

  /** Adds keys to the peer's file, and waits until the running gateway follows. */
  async function setRules(...keys: readonly string[]): Promise<void> {
    const reloads = (): number => hawser.remote.logText().split('"configuration reloaded"').length;
    const before = reloads();
    hawser.write("peers/home.toml", `${written}${keys.join("\n")}\n`);
    await until(async () => reloads() > before);
  }

  test("nothing of the remote's own, nor of its network, by any spelling", async () => {
    for (const host of [
      "127.0.0.1",
      "::1",
      "::ffff:127.0.0.1",
      "64:ff9b::7f00:1",
      "0.0.0.0",
      "::",
      "127.1",
      "0x7f000001",
      "2130706433",
      "017700000001",
      "localhost",
      "inside.example",
      "169.254.169.254",
      "10.0.0.1",
      house.addresses.lineEnds(1).remote.v4,
    ])
      assert.equal(await replyOf(host), NOT_ALLOWED, host);
    for (const port of [4433, 8081, inside.port])
      assert.equal(await replyOf(house.addresses.remote.v4, port), NOT_ALLOWED, String(port));
    assert.match(hawser.remote.logText(), /"why":"loopback, and no rule in allow names it"/);
  });

  test("the Internet is reached by address and by name; of a name's addresses only the allowed ones", async () => {
    for (const host of [house.addresses.origin.v4, "outside.example", "mixed.example"])
      assert.equal(await replyOf(host, outside.port), SUCCEEDED, host);
  });

  test("changed rules of a peer hold at once; an open flow to a destination that they forbid is cut", async () => {
    const { origin } = house.addresses;
    await setRules(`allow = ["public", "127.0.0.1:${inside.port}"]`);
    const flow = await ask("inside.example", inside.port);
    assert.equal(flow.reply, SUCCEEDED);
    const elsewhere = await ask(origin.v4, outside.port);
    assert.equal(await replyOf("127.0.0.1", inside.port + 1), NOT_ALLOWED);
    assert.equal(await replyOf("127.0.0.2"), NOT_ALLOWED);
    await setRules(`allow = ["${origin.v4}/32:${outside.port}"]`);
    assert.equal(await flow.reader.error(), "ECONNRESET");
    assert.equal(elsewhere.reader.broken, undefined);
    assert.equal(await replyOf("127.0.0.1"), NOT_ALLOWED);
    assert.equal(await replyOf(origin.v4, outside.port), SUCCEEDED);
    assert.equal(await replyOf(origin.v4, outside.port + 1), NOT_ALLOWED);
    await setRules(`deny = ["*:${outside.port}"]`);
    assert.equal(await elsewhere.reader.error(), "ECONNRESET");
  });

  test("no more flows than max_flows; what is refused is counted, and room comes back", async () => {
    await setRules("max_flows = 2");
    const refusedBefore = (await hawser.remoteStatus()).sessions[0]?.flows.refused ?? 0;
    const { origin } = house.addresses;
    const first = await ask(origin.v4, outside.port);
    const second = await ask(origin.v4, outside.port);
    assert.deepEqual([first.reply, second.reply], [SUCCEEDED, SUCCEEDED]);
    assert.equal(await replyOf(origin.v4, outside.port), GENERAL_FAILURE);
    assert.equal((await hawser.remoteStatus()).sessions[0]?.flows.refused, refusedBefore + 1);
    const { stdout } = await hawser.remote.curl("/metrics");
    assert.match(stdout, /^hawser_connections_refused_total\{listener="flow",reason="max_flows"\} 1$/m);
    first.socket.resetAndDestroy();
    await until(async () => (await replyOf(origin.v4, outside.port)) === SUCCEEDED);
  });

  test("flows faster than their rate are refused, and pass again a moment later", async () => {
    await setRules("max_new_flows_per_second = 1");
    const { origin } = house.addresses;
    // A burst of four seconds' worth is admitted.
    const replies = await Promise.all(Array.from({ length: 12 }, () => replyOf(origin.v4, outside.port)));
    assert.ok(replies.filter((reply) => reply === SUCCEEDED).length <= 6, replies.join());
    assert.ok(replies.includes(GENERAL_FAILURE));
    await until(async () => (await replyOf(origin.v4, outside.port)) === SUCCEEDED);
  });
});
