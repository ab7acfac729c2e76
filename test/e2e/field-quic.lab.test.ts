/** Field: browsers of the LAN that speak QUIC, which goes by UDP past a gateway that carries TCP. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { tearDown } from "../lab/cleanup.ts";
import { Hawser, until } from "../lab/hawser.ts";
import { House } from "../lab/house.ts";
import type { Namespace } from "../lab/namespace.ts";
import { labMissing } from "../lab/requirements.ts";
import type { Fate } from "../lab/traffic/udp.ts";
import { editLocal, TWO_VETHS } from "./support.ts";

const UDP = fileURLToPath(new URL("../lab/traffic/udp.ts", import.meta.url));
const FAMILIES = ["v4", "v6"] as const;
type FamilyName = (typeof FAMILIES)[number];
/** A refusal must come before a browser has begun another way, milliseconds. */
const AT_ONCE_MS = 200;

describe("QUIC from the LAN", { skip: labMissing() ?? false, timeout: 180_000 }, () => {
  let house: House;
  let hawser: Hawser;
  before(async () => {
    house = await House.create({
      lines: TWO_VETHS,
    });
    const { origin, direct } = house.addresses;
    for (const port of [443, 8443])
      await answerDatagrams(house.origin, port, [...Object.values(origin), ...Object.values(direct(1))]);
    hawser = await Hawser.start(house);
    await whenRefused(true);
  });
  after(() => tearDown(hawser, house));

  async function answerDatagrams(at: Namespace, port: number, hosts: readonly string[]): Promise<void> {
    const child = at.spawn(process.execPath, [UDP, "receive", String(port), ...hosts]);
    if (!child.stdout) throw new Error("the receiver has no stdout");
    await once(child.stdout, "data");
  }

  async function fate(host: string, port = 443): Promise<Fate> {
    const { stdout } = await house.lan.exec(process.execPath, [UDP, "ask", host, String(port)]);
    return JSON.parse(stdout) as Fate;
  }

  /**
   * Waits until the rules refuse QUIC, or no longer do. Asking by datagrams would use up the errors that the kernel
   * sends a client.
   */
  function whenRefused(wanted: boolean): Promise<void> {
    return until(async () => {
      const saves = ["iptables-save", "ip6tables-save"].map((command) =>
        house.router.exec(command, ["-t", "filter"]),
      );
      return (await Promise.all(saves)).every(({ stdout }) => stdout.includes("--dport 443") === wanted);
    });
  }

  async function assertRefused(family: FamilyName): Promise<void> {
    const { fate: what, ms } = await fate(house.addresses.origin[family]);
    assert.equal(what, "ECONNREFUSED");
    assert.ok(ms < AT_ONCE_MS, `${ms} ms`);
  }

  async function reload(edit: (text: string) => string): Promise<void> {
    editLocal(hawser, edit);
    hawser.local.process.kill("SIGHUP");
  }

  for (const family of FAMILIES) {
    test(`${family}: UDP 443 is refused at once where TCP is captured`, () => assertRefused(family));

    test(`${family}: to a destination of the bypass, and to other ports, it passes`, async () => {
      assert.equal((await fate(house.addresses.direct(1)[family])).fate, "answered");
      assert.equal((await fate(house.addresses.origin[family], 8443)).fate, "answered");
    });
  }

  test('a reload with quic = "pass" lets it pass, one without refuses it again', async () => {
    await reload((text) => text.replace("[capture]\n", '[capture]\nquic = "pass"\n'));
    await whenRefused(false);
    for (const family of FAMILIES)
      assert.equal((await fate(house.addresses.origin[family])).fate, "answered");
    await reload((text) => text.replace('quic = "pass"\n', ""));
    await whenRefused(true);
    for (const family of FAMILIES) await assertRefused(family);
  });

  test("it passes when the gateway has stopped", async () => {
    assert.equal(await hawser.local.stop(), 0);
    for (const family of FAMILIES)
      assert.equal((await fate(house.addresses.origin[family])).fate, "answered");
  });
});
