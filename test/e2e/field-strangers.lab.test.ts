/** Field: strangers with a whole IPv6 /48 at the remote gateway's port, and a home whose only line is a satellite's. */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { tearDown } from "../lab/cleanup.ts";
import { Hawser } from "../lab/hawser.ts";
import { House } from "../lab/house.ts";
import { labMissing } from "../lab/requirements.ts";
import { connectFrom, destroySockets } from "./sockets.ts";

/** Silent connections a second, each from another /64 of the /48. */
const RATE = 600;
const TICK_MS = 50;
const SITE = "2001:db8:bad";

describe("strangers with a /48", { skip: labMissing() ?? false, timeout: 180_000 }, () => {
  let house: House;
  let hawser: Hawser;
  before(async () => {
    house = await House.create({ lines: [{ name: "sat", down: 20e6, up: 5e6, delayMs: 300 }] });
    const { v6 } = house.addresses.origin;
    await house.origin.ip([`-6 route add local ${SITE}::/48 dev lo`]);
    await house.remote.ip([`-6 route add ${SITE}::/48 via ${v6} dev wan0`]);
    hawser = await Hawser.start(house);
  });
  after(() => tearDown(hawser, house));
  afterEach(destroySockets);

  test("a line with a round trip of 600 ms joins at its first try, each time", async (t) => {
    await hawser.local.stop();
    let count = 0;
    const connect = (): void => {
      const localAddress = `${SITE}:${(count++ & 0xffff).toString(16)}::1`;
      const address = { host: house.addresses.remote.v6, port: 4433 };
      connectFrom(house.origin, address, { localAddress })
        .on("error", () => {})
        .resume();
    };
    const timer = setInterval(() => {
      for (let i = 0; i < (RATE * TICK_MS) / 1_000; i++) connect();
    }, TICK_MS);
    try {
      for (let run = 0; run < 3; run++) {
        const started = performance.now();
        await hawser.startLocal();
        await hawser.whenPaths((states) => states.every((state) => state === "up" || state === "probation"));
        const { lastError } = (await hawser.status()).session.paths[0] ?? {};
        t.diagnostic(`joined ${Math.round(performance.now() - started)} ms after the start of the gateway`);
        assert.equal(lastError, null);
        await hawser.local.stop();
      }
    } finally {
      clearInterval(timer);
    }
    t.diagnostic(`${count} strangers`);
    assert.ok(count > RATE);
  });
});
