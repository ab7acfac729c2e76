/** Field: a VPS without IPv6, or one that loses it, and a LAN with global IPv6 that visits sites with both. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { tearDown } from "../lab/cleanup.ts";
import { Hawser, until } from "../lab/hawser.ts";
import { House } from "../lab/house.ts";
import { labMissing } from "../lab/requirements.ts";
import { giveEtc } from "./etc.ts";
import { TWO_VETHS } from "./support.ts";

const NAME = "site.example";
/** Global addresses, so that programs prefer IPv6 (RFC 6724). */
const LAN = { client: "2001:db8:77::2", router: "2001:db8:77::1" };
const PAGE = `require("node:http").createServer((q, s) => s.end(q.socket.remoteAddress)).listen(80, "::", () => console.log("on"))`;
const BY_NODE = `fetch("http://${NAME}/").then(async (r) => console.log(await r.text()))`;
const BY_PYTHON = `import urllib.request as u; print(u.urlopen("http://${NAME}/", timeout=10).read().decode())`;
/** How long a refused client may take to use its other address, milliseconds, without the program's start. */
const FALLBACK_MS = 300;

describe("a VPS without IPv6", { skip: labMissing() ?? false, timeout: 180_000 }, () => {
  let house: House;
  let hawser: Hawser;
  let etc: Disposable;
  before(async () => {
    house = await House.create({
      lines: TWO_VETHS,
    });
    const { v4, v6 } = house.addresses.origin;
    etc = giveEtc(house.lan, { hosts: `${v6} ${NAME}\n${v4} ${NAME}\n` });
    await house.router.ip([`-6 address add ${LAN.router}/64 dev lan0 nodad`]);
    await house.lan.ip([`-6 address add ${LAN.client}/64 dev eth0 nodad`]);
    const server = house.origin.spawn(process.execPath, ["-e", PAGE], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(server.stdout as NodeJS.ReadableStream, "data");
    hawser = await Hawser.start(house);
  });
  after(() => tearDown(hawser, house, etc));

  /** Visits the site with a program of the LAN. Returns the address that the site was asked from. */
  async function visit(program: string, ...args: readonly string[]): Promise<string> {
    const { stdout } = await house.lan.exec(program, args);
    return stdout.trim();
  }

  async function setIpv6(isThere: boolean): Promise<void> {
    const address = "2001:db8:100::1/64 dev wan0";
    await house.remote.ip(
      isThere
        ? [`-6 address add ${address} nodad`]
        : [`-6 address del ${address}`, "-6 route flush 2001:db8:100::/64"],
    );
  }

  /** Waits until status and rules say that there is IPv6, or that there is none. */
  async function whenIpv6(isThere: boolean): Promise<void> {
    await until(async () => (await hawser.status()).session.egress?.ipv6 === isThere);
    await until(async () => {
      const { stdout } = await house.router.exec("ip6tables-save", ["-t", "nat"]);
      return stdout.includes("-A PREROUTING") === isThere;
    });
  }

  test("while it has IPv6 the LAN's IPv6 is carried", async () => {
    await whenIpv6(true);
    assert.equal(await visit("curl", "-s", `http://${NAME}/`), "2001:db8:100::1");
  });

  test("when it loses IPv6 every program takes IPv4 at once", async (t) => {
    await setIpv6(false);
    await whenIpv6(false);
    const timed = await visit("curl", "-s", "-w", " %{time_total}", `http://${NAME}/`);
    const [address, seconds] = timed.split(" ");
    t.diagnostic(`curl had the page after ${seconds} s`);
    assert.equal(address, "::ffff:198.51.100.1");
    assert.ok(Number(seconds) * 1_000 < FALLBACK_MS, `${seconds} s`);
    assert.equal(await visit("wget", "-qO-", `http://${NAME}/`), "::ffff:198.51.100.1");
    assert.equal(await visit("python3", "-c", BY_PYTHON), "::ffff:198.51.100.1");
    assert.equal(await visit(process.execPath, "-e", BY_NODE), "::ffff:198.51.100.1");
  });

  test("a connection without another address to try is refused, not held", async () => {
    const started = performance.now();
    await assert.rejects(house.lan.exec("curl", ["-s6", `http://${NAME}/`]));
    assert.ok(performance.now() - started < 2_000);
  });

  test("an event reports the loss, and status shows it", async () => {
    const { stdout } = await hawser.runLocal(["status"]);
    assert.match(stdout, /the remote gateway has no way out by IPv6/);
    const events = (await hawser.local.get("/api/events")) as { type: string; level: string }[];
    assert.deepEqual(
      events.filter(({ type }) => type.startsWith("egress")).map(({ type, level }) => [type, level]),
      [["egress-lost", "warn"]],
    );
  });

  test("when IPv6 is back it is carried again", async () => {
    await setIpv6(true);
    await whenIpv6(true);
    assert.equal(await visit("curl", "-s6", `http://${NAME}/`), "2001:db8:100::1");
  });
});
