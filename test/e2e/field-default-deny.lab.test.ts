/** Field: a router whose firewall drops all packets that no rule allows, as ufw and most handwritten firewalls do. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { tearDown } from "../lab/cleanup.ts";
import { CAPTURE_PORT, Hawser, until } from "../lab/hawser.ts";
import { House } from "../lab/house.ts";
import { labMissing } from "../lab/requirements.ts";
import { ORIGIN_PORT, startOrigin } from "../lab/traffic/run.ts";
import { ask, connectFrom, listenIn, type Pair, pair, Reader } from "./sockets.ts";
import { TWO_VETHS } from "./support.ts";

const FAMILIES = ["v4", "v6"] as const;
const TOOLS = { v4: "iptables", v6: "ip6tables" } as const;
const BYTES = 1_000_000;

describe("a default-deny router", { skip: labMissing() ?? false, timeout: 180_000 }, () => {
  let house: House;
  let hawser: Hawser;
  /** Both families' filter tables before Hawser has touched them. */
  let firewall: string[];
  before(async () => {
    house = await House.create({
      lines: TWO_VETHS,
    });
    await Promise.all(FAMILIES.map(deny));
    firewall = await filterTables();
    await startOrigin(house.origin);
    hawser = await Hawser.start(house);
    await until(async () => (await filterTables()).every((text) => text.includes("HAWSER.accept")));
  });
  after(() => tearDown(hawser, house));

  async function deny(family: (typeof FAMILIES)[number]): Promise<void> {
    const rules = [
      "-P INPUT DROP",
      // No such rule for the LAN: an open flow must live by Hawser's rule alone.
      ...["adsl1", "adsl2"].map((line) => `-A INPUT -i ${line} -m conntrack --ctstate ESTABLISHED -j ACCEPT`),
      "-A INPUT -i lo -j ACCEPT",
      `-A INPUT -p ${family === "v4" ? "icmp" : "ipv6-icmp"} -j ACCEPT`,
      "-A INPUT -i lan0 -p tcp --dport 22 -j ACCEPT",
    ];
    for (const rule of rules) await house.router.exec(TOOLS[family], rule.split(" "));
  }

  async function filterTables(): Promise<string[]> {
    const texts = await Promise.all(
      FAMILIES.map((family) => house.router.exec(`${TOOLS[family]}-save`, ["-t", "filter"])),
    );
    return texts.map(({ stdout }) => stdout.replace(/^#.*\n/gm, "").replace(/ \[\d+:\d+\]$/gm, ""));
  }

  for (const family of FAMILIES) {
    test(`${family}: a download of the LAN comes through Hawser, whole`, async () => {
      const address = { host: house.addresses.origin[family], port: ORIGIN_PORT };
      assert.match(await ask(house.lan, address, "WHO\n"), /198\.51\.100\.1 |2001:db8:100::1 /);
      const reader = new Reader(connectFrom(house.lan, address).end(`GET ${BYTES} 3\n`));
      await reader.end();
      assert.equal(reader.length, BYTES);
    });

    test(`${family}: packets to the capture port itself are dropped as before`, async () => {
      const url = `http://${family === "v4" ? house.addresses.lan.router.v4 : `[${house.addresses.lan.router.v6}]`}:${CAPTURE_PORT}/`;
      await assert.rejects(
        house.lan.exec("curl", ["-sS", "-g", "--connect-timeout", "1", url]),
        /timed? ?out/i,
      );
    });
  }

  test("while the gateway stops, open flows live until they end; then no rule of Hawser's is left", async () => {
    const server = await listenIn(house.origin);
    const pairs: Pair[] = [];
    for (const family of FAMILIES)
      pairs.push(await pair(house.lan, { host: house.addresses.origin[family], port: server.port }, server));
    const stopped = hawser.local.stop();
    await until(async () => (await natJumps()) === 0);
    for (const { client, server: far } of pairs) {
      const [here, there] = [new Reader(client), new Reader(far)];
      client.end("a".repeat(BYTES));
      await there.end();
      assert.equal(there.length, BYTES);
      far.end("b".repeat(BYTES));
      await here.end();
      assert.equal(here.length, BYTES);
    }
    assert.equal(await stopped, 0);
    assert.deepEqual(await filterTables(), firewall);
    server.close();
  });

  async function natJumps(): Promise<number> {
    const texts = await Promise.all(
      FAMILIES.map((family) => house.router.exec(`${TOOLS[family]}-save`, ["-t", "nat"])),
    );
    return texts.filter(({ stdout }) => stdout.includes("-j HAWSER")).length;
  }
});
