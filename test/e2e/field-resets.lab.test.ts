import assert from "node:assert/strict";
import { once } from "node:events";
import type { Socket } from "node:net";
import { after, afterEach, before, describe, test } from "node:test";
import type { FlowStatus } from "@hawser/status-api/model";
import { tearDown } from "../lab/cleanup.ts";
import { Hawser, SOCKS_PORT, until } from "../lab/hawser.ts";
import { House } from "../lab/house.ts";
import { labMissing } from "../lab/requirements.ts";
import {
  acknowledged,
  connectFrom,
  destroySockets,
  type Listener,
  listenIn,
  type Pair,
  Reader,
  readSlowly,
  sendUrgent,
} from "./sockets.ts";
import { greetAndConnect } from "./socks-client.ts";
import { TWO_QUICK_LINES } from "./support.ts";

/** The answers of SOCKS to a greeting and to a request for an IPv4 address. */
const SOCKS_ANSWERS = 2 + 10;

describe("what was acknowledged to the writer reaches the reader", {
  skip: labMissing() ?? false,
  timeout: 180_000,
}, () => {
  let house: House;
  let hawser: Hawser;
  let listener: Listener;
  before(async () => {
    house = await House.create({
      lines: TWO_QUICK_LINES,
    });
    listener = await listenIn(house.origin);
    hawser = await Hawser.start(house);
  });
  after(() => tearDown(hawser, house));
  afterEach(async () => {
    destroySockets();
    await hawser.whenNoFlows();
  });

  type Way = "redirect" | "socks";

  /** Both ends of a flow. Node reads from neither. A SOCKS client still has its answers to read. */
  async function flow(way: Way): Promise<Pair> {
    const origin = { host: house.addresses.origin.v4, port: listener.port };
    const proxy = { host: house.addresses.lan.router.v4, port: SOCKS_PORT };
    const client = connectFrom(house.lan, way === "socks" ? proxy : origin).pause();
    await once(client, "connect");
    if (way === "socks") client.write(greetAndConnect(origin.host, origin.port));
    return { client, server: (await listener.accept()).pause() };
  }

  /** Writes this many bytes, and resets the connection once all of them are acknowledged. */
  async function writeAndReset(socket: Socket, bytes: number): Promise<void> {
    socket.write(Buffer.alloc(bytes));
    await acknowledged(socket);
    socket.resetAndDestroy();
  }

  for (const [way, direction, bytes, rate] of [
    ["redirect", "download", 5_000_000, 1_000_000],
    ["redirect", "download", 200_000, 100_000],
    ["socks", "download", 2_000_000, 500_000],
    ["redirect", "upload", 2_000_000, 500_000],
    ["redirect", "upload", 300_000, 100_000],
    ["socks", "upload", 2_000_000, 500_000],
  ] as const) {
    test(`${way}, ${direction}: ${bytes} bytes at ${rate} a second, then the reset`, async () => {
      const { client, server } = await flow(way);
      const [writer, reader] = direction === "download" ? [server, client] : [client, server];
      const before = way === "socks" && reader === client ? SOCKS_ANSWERS : 0;
      const read = readSlowly(reader, rate);
      await writeAndReset(writer, bytes);
      assert.deepEqual(await read, [before + bytes, "ECONNRESET"]);
    });
  }

  const openAt = async (gateway: "local" | "remote"): Promise<FlowStatus[]> =>
    (await hawser[gateway].get("/api/flows")) as FlowStatus[];

  async function cut(gateway: "local" | "remote"): Promise<void> {
    const [flow] = await openAt(gateway);
    await hawser[gateway].curl(`/api/flows/${flow?.id}`, ["-X", "DELETE"]);
  }

  test("the API cuts a flow at once that waits to be reset", async () => {
    const { client, server } = await flow("redirect");
    const read = readSlowly(client, 500_000);
    await writeAndReset(server, 2_000_000);
    await cut("local");
    const [bytes, how] = await read;
    assert.equal(how, "ECONNRESET");
    assert.ok(bytes < 1_900_000, `${bytes} bytes were read`);
  });

  for (const [at, other] of [
    ["local", "remote"],
    ["remote", "local"],
  ] as const) {
    test(`a flow that is cut through the API of the ${at} gateway ends at once at the other, read or not`, async () => {
      const { client, server } = await flow("redirect");
      client.write(Buffer.alloc(1_000_000));
      server.write(Buffer.alloc(1_000_000));
      await until(async () => (await openAt(other)).some((each) => each.receivedBytes > 60_000));
      await cut(at);
      await until(async () => (await openAt(other)).length === 0, 2_000);
    });
  }

  for (const way of ["redirect", "socks"] as const) {
    test(`${way}: urgent bytes keep their place, both ways`, async () => {
      const { client, server } = await flow(way);
      for (const [from, to, before] of [
        [client, server, 0],
        [server, client, way === "socks" ? SOCKS_ANSWERS : 0],
      ] as const) {
        const reader = new Reader(to);
        await reader.bytes(before);
        reader.clear();
        sendUrgent(from, "AB!");
        from.write("CD");
        sendUrgent(from, "?");
        from.end();
        await reader.end();
        assert.equal(reader.text, "AB!CD?");
      }
    });
  }
});
