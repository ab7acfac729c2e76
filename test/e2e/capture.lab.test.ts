import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { tearDown } from "../lab/cleanup.ts";
import { CAPTURE_PORT, Hawser, until } from "../lab/hawser.ts";
import { House } from "../lab/house.ts";
import { labMissing } from "../lab/requirements.ts";
import { ORIGIN_PORT, startOrigin } from "../lab/traffic/run.ts";
import { ask, connectFrom, IPPROTO_MPTCP, Reader } from "./sockets.ts";
import { reconfigure, TWO_VETHS } from "./support.ts";

const FAMILIES = ["v4", "v6"] as const;

describe("capture", { skip: labMissing() ?? false, timeout: 180_000 }, () => {
  let house: House;
  let hawser: Hawser;
  before(async () => {
    house = await House.create({
      lines: TWO_VETHS,
    });
    await Promise.all([startOrigin(house.origin), startOrigin(house.remote)]);
    hawser = await Hawser.start(house);
  });
  after(() => tearDown(hawser, house));

  /** The address that a connection to this address of the origin comes from, as the origin says. */
  async function seenAs(host: string): Promise<string> {
    return (await ask(house.lan, { host, port: ORIGIN_PORT }, "WHO\n")).split(" ")[0] ?? "";
  }

  /** The gateway's rules in the kernel, of both families and all tables. */
  async function rulesInPlace(): Promise<string[]> {
    const texts = await Promise.all(
      ["iptables-save", "ip6tables-save"].map((command) => house.router.exec(command, [])),
    );
    return texts.map(({ stdout }) => stdout);
  }

  async function assertRules(present: boolean): Promise<void> {
    for (const text of await rulesInPlace()) {
      if (present) assert.match(text, new RegExp(`REDIRECT --to-ports ${CAPTURE_PORT}`));
      else assert.doesNotMatch(text, /HAWSER/);
    }
  }

  /** Starts the gateway again. Its status server answers a moment before the rules are in place. */
  async function startLocal(): Promise<void> {
    await hawser.startLocal();
    await until(async () => (await rulesInPlace()).every((text) => text.includes("REDIRECT")));
  }

  /** How a connection from the LAN ends that sends nothing. */
  function fate(host: string, port: number): Promise<string> {
    return new Reader(connectFrom(house.lan, { host, port })).error();
  }

  for (const [family, remote] of [
    ["v4", "::ffff:198.51.100.1"],
    ["v6", "2001:db8:100::1"],
  ] as const) {
    test(`${family} destinations are redirected; the origin sees the remote gateway`, async () => {
      await assertRules(true);
      assert.equal(await seenAs(house.addresses.origin[family]), remote);
    });

    test(`${family} destinations of the bypass are left alone`, async () => {
      const client = family === "v4" ? "::ffff:192.168.77.2" : "fd00:77::2";
      assert.equal(await seenAs(house.addresses.direct(2)[family]), client);
    });

    test(`${family}: a page of the provider at a non-public address is left alone`, async () => {
      const [client, page] =
        family === "v4" ? ["::ffff:192.168.77.2", "100.64.1.1"] : ["fd00:77::2", "fec0::1"];
      if (family === "v6") await house.remote.ip(["-6 address add fec0::1/128 dev lo"]);
      assert.equal(await seenAs(page), client);
    });

    test(`${family}: a connection made to the capture port is reset, and logged`, async () => {
      const host = house.addresses.lan.router[family];
      const logged = (): number => hawser.local.logText().split("refused a connection").length;
      const before = logged();
      assert.equal(await fate(host, CAPTURE_PORT), "ECONNRESET");
      await until(async () => logged() === before + 1);
      assert.deepEqual(await hawser.flows(), []);
    });
  }

  test("the remote gateway, at the address of the pairing line, is reached directly", async () => {
    assert.equal(await seenAs(house.addresses.remote.v4), "::ffff:192.168.77.2");
  });

  test("a redirected connection to the remote gateway itself is reset, and logged", async () => {
    const { v4 } = house.addresses.remote;
    const rule = ["-t", "nat", "PREROUTING", "-d", v4, "-p", "tcp", "-j", "REDIRECT"];
    const edit = (how: string): Promise<unknown> =>
      house.router.exec("iptables", [...rule.toSpliced(2, 0, how), "--to-ports", String(CAPTURE_PORT)]);
    await edit("-I");
    try {
      assert.equal(await fate(v4, ORIGIN_PORT), "ECONNRESET");
    } finally {
      await edit("-D");
    }
    await until(async () => /"host":"203\.0\.113\.1".*remote gateway/.test(hawser.local.logText()));
  });

  test("a client that speaks MPTCP itself is served as any other", async () => {
    for (const family of FAMILIES) {
      const address = { host: house.addresses.origin[family], port: ORIGIN_PORT };
      const socket = connectFrom(house.lan, address, { protocol: IPPROTO_MPTCP });
      const reader = new Reader(socket);
      socket.end("GET 1000000 3\n");
      await reader.end();
      assert.equal(reader.length, 1_000_000);
    }
  });

  test("rules show prints what rules apply installs and rules clear removes", async () => {
    // A gateway that keeps the rules itself would put them back.
    const own = readFileSync(hawser.file("local.toml"), "utf8");
    await reconfigure(hawser, (text) => text.replace("[capture]", "[capture]\nrules = false"));
    await hawser.runLocal(["rules", "apply"]);
    const shown = (await hawser.runLocal(["rules", "show"])).stdout;
    assert.match(shown, /^# iptables-restore --noflush\n\*nat\n/);
    assert.match(shown, /\n# ip6tables-restore --noflush\n\*nat\n/);
    assert.ok(shown.includes(` -d ${house.addresses.remote.v4}/32 -j RETURN`));
    const json = JSON.parse((await hawser.runLocal(["rules", "show", "--json"])).stdout) as {
      family: string;
    }[];
    assert.deepEqual(
      json.map(({ family }) => family),
      ["ipv4", "ipv6"],
    );
    const cleared = await hawser.runLocal(["rules", "clear"]);
    assert.equal(cleared.stdout, "ipv4: changed\nipv6: changed\n");
    await assertRules(false);
    assert.match(await seenAs(house.addresses.origin.v4), /192\.168\.77\.2/);
    assert.equal((await hawser.runLocal(["rules", "clear"])).stdout, "ipv4: unchanged\nipv6: unchanged\n");
    assert.equal((await hawser.runLocal(["rules", "apply"])).stdout, "ipv4: changed\nipv6: changed\n");
    await assertRules(true);
    assert.equal((await hawser.runLocal(["rules", "apply"])).stdout, "ipv4: unchanged\nipv6: unchanged\n");
    assert.match(await seenAs(house.addresses.origin.v4), /198\.51\.100\.1$/);
    await reconfigure(hawser, () => own);
    await assertRules(true);
  });

  test("SIGTERM removes the gateway's rules and no others; the next start installs them", async () => {
    const foreign = ["-t", "nat", "-A", "PREROUTING", "-p", "tcp", "--dport", "9", "-j", "ACCEPT"];
    await house.router.exec("iptables", foreign);
    assert.equal(await hawser.local.stop(), 0);
    await assertRules(false);
    assert.match((await rulesInPlace()).join(), /--dport 9 -j ACCEPT/);
    assert.match(await seenAs(house.addresses.origin.v4), /192\.168\.77\.2/);
    await startLocal();
    await assertRules(true);
  });

  test("the next start takes over the rules that SIGKILL leaves, and rules clear removes them", async () => {
    const kill = async (): Promise<void> => {
      hawser.local.process.kill("SIGKILL");
      await once(hawser.local.process, "exit");
    };
    await kill();
    await assertRules(true);
    await hawser.runLocal(["rules", "clear"]);
    await assertRules(false);
    await startLocal();
    const before = await rulesInPlace();
    await kill();
    await hawser.startLocal();
    await hawser.whenPaths((states) => states.every((state) => state === "up"));
    const count = (texts: readonly string[]): number => texts.join().split("HAWSER").length;
    assert.equal(count(await rulesInPlace()), count(before));
    assert.match(await seenAs(house.addresses.origin.v6), /2001:db8:100::1$/);
    await hawser.local.stop();
    await assertRules(false);
  });
});
