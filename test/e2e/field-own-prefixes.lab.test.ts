/** Field: a LAN with global addresses of its own, in two networks, one of them a bridge that asks the firewall. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Hawser, until } from "../lab/hawser.ts";
import { House } from "../lab/house.ts";
import { Namespace, run } from "../lab/namespace.ts";
import { labMissing } from "../lab/requirements.ts";
import { ORIGIN_PORT, startOrigin } from "../lab/traffic/run.ts";
import { ask } from "./sockets.ts";
import { editLocal, reload, TWO_VETHS } from "./support.ts";

/** How long a new prefix of the LAN may be captured before it is left alone, milliseconds. */
const FOLLOWED_MS = 2_000;
/** How long a connection is tried that must not come about, seconds. */
const SECONDS = "3";

/**
 * ```
 *  a (the house's lan) ---- lan0  router  br0 ---- b
 *  192.0.2.10, 2001:db8:77:1::10       |  ---- c
 *                                      lines     192.0.2.18, .19; 2001:db8:77:2::18, ::19
 * ```
 */
const A = { v4: "192.0.2.10", v6: "2001:db8:77:1::10" };
const B = { v4: "192.0.2.18", v6: "2001:db8:77:2::18" };
const C = { v4: "192.0.2.19", v6: "2001:db8:77:2::19" };
/** Another address of B, in a prefix that is added later. */
const LATER = { v4: "192.0.2.34", v6: "2001:db8:77:3::34" };
const FAMILIES = [
  ["v4", "::ffff:198.51.100.1"],
  ["v6", "2001:db8:100::1"],
] as const;

describe("a LAN with global addresses", { skip: labMissing() ?? false, timeout: 180_000 }, () => {
  let house: House;
  let hawser: Hawser;
  let b: Namespace;
  let c: Namespace;
  before(async () => {
    house = await House.create({
      lines: TWO_VETHS,
    });
    [b, c] = ["b", "c"].map((name) => new Namespace(`${house.lan.name}-${name}`)) as [Namespace, Namespace];
    await house.router.ip(["link add br0 type bridge", "link set br0 up"]);
    for (const [{ name }, port] of [
      [b, "port-b"],
      [c, "port-c"],
    ] as const) {
      await run("ip", ["netns", "add", name]);
      await run("ip", [
        "link",
        "add",
        port,
        "netns",
        house.router.name,
        "type",
        "veth",
        "peer",
        "name",
        "eth0",
        "netns",
        name,
      ]);
      await house.router.ip([`link set ${port} master br0 up`]);
    }
    await house.router.ip([
      "address add 192.0.2.9/29 dev lan0",
      "-6 address add 2001:db8:77:1::1/64 dev lan0 nodad",
      "address add 192.0.2.17/29 dev br0",
      "-6 address add 2001:db8:77:2::1/64 dev br0 nodad",
    ]);
    await house.lan.ip([`address add ${A.v4}/29 dev eth0`, `-6 address add ${A.v6}/64 dev eth0 nodad`]);
    for (const [namespace, own] of [
      [b, B],
      [c, C],
    ] as const) {
      await namespace.ip([
        "link set lo up",
        "link set eth0 up",
        `address add ${own.v4}/29 dev eth0`,
        `-6 address add ${own.v6}/64 dev eth0 nodad`,
        "route add default via 192.0.2.17",
        "-6 route add default via 2001:db8:77:2::1",
      ]);
    }
    for (const family of ["iptables", "ip6tables"])
      await house.router.exec("sysctl", ["-q", "-w", `net.bridge.bridge-nf-call-${family}=1`]);
    await Promise.all([startOrigin(house.origin), startOrigin(b), startOrigin(house.lan)]);
    hawser = await Hawser.start(house);
    await reload(hawser, (text) => text.replace('from = ["lan0"]', 'from = ["lan0", "br0"]'));
  });
  after(async () => {
    await hawser?.stop();
    for (const namespace of [b, c]) {
      namespace?.killAll();
      if (namespace) await run("ip", ["netns", "delete", namespace.name]);
    }
    await house?.close();
  });

  const who = async (from: Namespace, host: string): Promise<string> =>
    (await ask(from, { host, port: ORIGIN_PORT }, "WHO\n")).split(" ")[0] ?? "";

  /**
   * Whether a connection comes about and stands. A captured one is reset, since the VPS has no route to the
   * destination.
   */
  function reaches(from: Namespace, host: string): Promise<boolean> {
    const read = `exec 3<>/dev/tcp/${host}/${ORIGIN_PORT} && echo ONE >&3 && read -r -n 1 answer <&3 && [ "$answer" = 1 ]`;
    return from.exec("timeout", [SECONDS, "bash", "-c", read]).then(
      () => true,
      () => false,
    );
  }

  for (const [family, remote] of FAMILIES) {
    test(`${family}: from one network of the LAN to the other, both ways`, async () => {
      assert.ok(await reaches(house.lan, B[family]));
      assert.ok(await reaches(b, A[family]));
    });

    test(`${family}: within a bridge that asks the firewall`, async () => {
      assert.ok(await reaches(c, B[family]));
    });

    test(`${family}: connections over a line are captured, from both networks`, async () => {
      for (const from of [house.lan, b, c]) {
        if (family === "v4" && from !== house.lan) continue;
        assert.equal(await who(from, house.addresses.origin[family]), remote);
      }
    });
  }

  test("a prefix that is added while the gateway runs is left alone within 2 s; when it is removed, it is captured again", async () => {
    await b.ip([`address add ${LATER.v4}/29 dev eth0`, `-6 address add ${LATER.v6}/64 dev eth0 nodad`]);
    for (const [family] of FAMILIES) assert.equal(await reaches(house.lan, LATER[family]), false);
    const prefixes = [
      "address add 192.0.2.33/29 dev br0",
      "-6 address add 2001:db8:77:3::1/64 dev br0 nodad",
    ];
    await house.router.ip(prefixes);
    const started = performance.now();
    const isLeft = async (tool: string, text: string): Promise<boolean> =>
      (await house.router.exec(`${tool}-save`, ["-t", "nat"])).stdout.includes(`-d ${text} -j RETURN`);
    const areLeft = async (): Promise<boolean[]> =>
      Promise.all([isLeft("iptables", "192.0.2.32/29"), isLeft("ip6tables", "2001:db8:77:3::/64")]);
    await until(async () => (await areLeft()).every((left) => left), FOLLOWED_MS);
    assert.ok(performance.now() - started < FOLLOWED_MS, `${performance.now() - started} ms`);
    for (const [family] of FAMILIES) assert.ok(await reaches(house.lan, LATER[family]));
    await house.router.ip(
      prefixes.map((command) => command.replace(" add ", " delete ").replace(" nodad", "")),
    );
    await until(async () => (await areLeft()).every((left) => !left));
    for (const [family] of FAMILIES) assert.equal(await reaches(house.lan, LATER[family]), false);
  });

  test("a burst of routes is one change of the rules; routes over a line and default routes change nothing", async () => {
    const changes = (): number => hawser.local.logText().split('"msg":"redirect rules are in place"').length;
    const before = changes();
    const routes = Array.from({ length: 100 }, (_, i) => `route add 198.18.${i}.0/24 via ${B.v4}`);
    await house.router.ip([
      ...routes,
      "route add 198.19.0.0/24 dev adsl1",
      "route add default dev br0 metric 9999",
    ]);
    const rules = async (): Promise<string> =>
      (await house.router.exec("iptables-save", ["-t", "nat"])).stdout;
    await until(async () => (await rules()).includes("-d 198.18.99.0/24 -j RETURN"));
    assert.ok(changes() - before <= 3, `${changes() - before} changes`);
    assert.doesNotMatch(await rules(), /198\.19\.0\.0|-d 0\.0\.0\.0\/0/);
    assert.match(await rules(), /198\.18\.0\.0\/24/);
  });

  test("connections over the interface of a line that is known by its address alone are captured", async () => {
    const { v4 } = house.addresses.lineEnds(2).router;
    await house.router.ip(["route add 198.19.1.0/24 dev adsl2"]);
    editLocal(hawser, (text) => text.replace('interface = "adsl2"', `source = "${v4}"`));
    await hawser.local.stop();
    await hawser.startLocal();
    await hawser.whenPaths((states) => states.every((state) => state === "up"));
    const rules = (await house.router.exec("iptables-save", ["-t", "nat"])).stdout;
    assert.match(rules, /-d 192\.0\.2\.16\/29 -j RETURN/);
    assert.doesNotMatch(rules, /198\.19\.1\.0/);
  });

  test("rules apply leaves the same destinations alone", async () => {
    const { stdout } = await hawser.runLocal(["rules", "show"]);
    assert.match(stdout, /-d 192\.0\.2\.16\/29 -j RETURN/);
    assert.match(stdout, /-d 2001:db8:77:2::\/64 -j RETURN/);
    assert.equal((await hawser.runLocal(["rules", "apply"])).stdout, "ipv4: unchanged\nipv6: unchanged\n");
  });
});
