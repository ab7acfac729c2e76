/** Names that the remote gateway resolves, with a name server of its own. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Hawser, SOCKS_PORT } from "../lab/hawser.ts";
import { House } from "../lab/house.ts";
import { labMissing } from "../lab/requirements.ts";
import { ORIGIN_PORT, startOrigin } from "../lab/traffic/run.ts";
import { giveEtc } from "./etc.ts";
import { connectFrom, destroySockets, Reader } from "./sockets.ts";
import { greetAndConnect } from "./socks-client.ts";

describe("names on the remote", { skip: labMissing() ?? false, timeout: 180_000 }, () => {
  let house: House;
  let hawser: Hawser;
  let etc: Disposable;
  before(async () => {
    house = await House.create({ lines: [{ name: "adsl1", kind: "veth" }] });
    etc = giveEtc(house.remote, { hosts: "", "resolv.conf": "nameserver 127.0.0.1\n" });
    const { v4, v6 } = house.addresses.origin;
    const program = fileURLToPath(new URL("name-server.ts", import.meta.url));
    const args = [program, JSON.stringify({ "origin.example": [v4, v6] })];
    const server = house.remote.spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    await once(server.stdout as NodeJS.ReadableStream, "data");
    await startOrigin(house.origin);
    hawser = await Hawser.start(house);
  });
  after(async () => {
    destroySockets();
    await hawser?.stop();
    await house?.close();
    etc?.[Symbol.dispose]();
  });

  /** A client in the LAN that asks the destination for one byte. */
  function askFor(host: string): Reader {
    const socket = connectFrom(house.lan, { host: house.addresses.lan.router.v4, port: SOCKS_PORT });
    socket.write(Buffer.concat([greetAndConnect(host, ORIGIN_PORT), Buffer.from("ONE\n")]));
    return new Reader(socket);
  }

  test("a hundred names without an answer from the name server hold up no other name", async () => {
    const dead = Array.from({ length: 100 }, (_, n) => askFor(`dead${n}.example`));
    for (const reader of dead) await reader.bytes(2);
    const started = performance.now();
    const live = askFor("origin.example");
    await live.end();
    const elapsed = performance.now() - started;
    assert.equal(live.text.at(-1), "1");
    assert.ok(elapsed < 1_500, `took ${Math.round(elapsed)} ms`);
  });
});
