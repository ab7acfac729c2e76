/** Field: a name with two addresses, the first of which refuses or is not there. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { tearDown } from "../lab/cleanup.ts";
import { Hawser, SOCKS_PORT, until } from "../lab/hawser.ts";
import { House } from "../lab/house.ts";
import { labMissing } from "../lab/requirements.ts";
import { giveEtc } from "./etc.ts";
import { connectFrom, Reader } from "./sockets.ts";
import { TWO_VETHS } from "./support.ts";

const WEB_PORT = 8000;
/**
 * Addresses of the origin that refuse, by family. Each client has its own, since the gateway must not know it from
 * before.
 */
const REFUSING = {
  curl: { v4: "198.51.100.51", v6: "2001:db8:100::51" },
  python: { v4: "198.51.100.52", v6: "2001:db8:100::52" },
  node: { v4: "198.51.100.53", v6: "2001:db8:100::53" },
  other: { v4: "198.51.100.54", v6: "2001:db8:100::54" },
} as const;
/** An address that no host has. */
const ABSENT = "198.51.100.99";
/** A refused client takes the next address within this time, milliseconds. */
const AT_ONCE_MS = 1_000;
const SETS_THERE = fileURLToPath(new URL("sets-there.ts", import.meta.url));

/** Each prints the page and how long it took, seconds. */
const PYTHON = `
import sys, time, urllib.request
begun = time.monotonic()
print(urllib.request.urlopen(sys.argv[1], timeout=5).read().decode(), time.monotonic() - begun)`;
const NODE = `
const begun = performance.now();
const page = await (await fetch(process.argv[1])).text();
console.log(page, (performance.now() - begun) / 1e3);`;
const CLIENTS = {
  curl: ["curl", "-sS", "--max-time", "5", "-w", " %{time_total}"],
  python: ["python3", "-c", PYTHON],
  node: [process.execPath, "--input-type=module", "-e", NODE],
} as const;

describe("a destination that refuses", { skip: labMissing("python3") ?? false, timeout: 180_000 }, () => {
  let house: House;
  let hawser: Hawser;
  let etc: Disposable;
  before(async () => {
    house = await House.create({
      lines: TWO_VETHS,
    });
    const { origin } = house.addresses;
    const hosts = Object.entries(REFUSING).map(([name, { v4 }]) => `${v4} ${name}\n${origin.v4} ${name}\n`);
    etc = giveEtc(house.lan, { hosts: `127.0.0.1 localhost\n${hosts.join("")}`, "host.conf": "multi on\n" });
    for (const { v4, v6 } of Object.values(REFUSING)) {
      await house.origin.ip([`address add ${v4}/24 dev eth0`, `-6 address add ${v6}/64 dev eth0 nodad`]);
      await setRefusing(v4, true);
      await setRefusing(v6, true);
    }
    const server = `require("http").createServer((_, answer) => answer.end("page")).listen(${WEB_PORT}, () => console.log())`;
    const web = house.origin.spawn(process.execPath, ["-e", server]);
    if (web.stdout) await once(web.stdout, "data");
    hawser = await Hawser.start(house);
    await until(async () => (await rules()).includes("--match-set"));
  });
  after(() => tearDown(hawser, etc, house));

  async function setRefusing(address: string, wanted: boolean): Promise<void> {
    const rule = ["INPUT", "-d", address, "-p", "tcp", "-j", "REJECT", "--reject-with", "tcp-reset"];
    const tool = address.includes(":") ? "ip6tables" : "iptables";
    await house.origin.exec(tool, [wanted ? "-A" : "-D", ...rule]);
  }

  async function rules(): Promise<string> {
    const saves = ["iptables-save", "ip6tables-save"].map((command) => house.router.exec(command, []));
    return (await Promise.all(saves)).map(({ stdout }) => stdout).join();
  }

  async function areSetsThere(): Promise<boolean> {
    return (await house.router.exec(process.execPath, [SETS_THERE])).stdout === "true";
  }

  /** How a connection from the LAN ends that sends nothing. */
  function fate(host: string): Promise<string> {
    return new Reader(connectFrom(house.lan, { host, port: WEB_PORT })).error();
  }

  async function connects(host: string): Promise<boolean> {
    const socket = connectFrom(house.lan, { host, port: WEB_PORT });
    const answer = new Reader(socket);
    socket.write("GET / HTTP/1.0\r\n\r\n");
    return answer.end().then(
      () => answer.text.endsWith("page"),
      () => false,
    );
  }

  for (const [client, [program, ...args]] of Object.entries(CLIENTS)) {
    test(`${client}: at most the first try fails, the next tries find the second address at once`, async (context) => {
      const attempts: string[] = [];
      for (let attempt = 1; attempt <= 4; attempt++) {
        const { stdout } = await house.lan
          .exec(program, [...args, `http://${client}:${WEB_PORT}/`])
          .catch(() => ({ stdout: "" }));
        const ms = Number(/^page ([\d.]+)/.exec(stdout)?.[1]) * 1_000;
        attempts.push(Number.isNaN(ms) ? "failed" : `page after ${ms.toFixed()} ms`);
        if (attempt > 1) assert.ok(ms < AT_ONCE_MS, attempts.join(", "));
      }
      context.diagnostic(attempts.join(", "));
    });
  }

  for (const family of ["v4", "v6"] as const) {
    test(`${family}: a destination is refused at the SYN after the first try, and no longer once it works again`, async () => {
      const host = REFUSING.other[family];
      assert.equal(await fate(host), "ECONNRESET");
      assert.equal(await fate(host), "ECONNREFUSED");
      await setRefusing(host, false);
      // Through SOCKS the destination is dialled all the same. When the flow opens, the gateway takes it out of the
      // kernel's set.
      const proxy = `socks5://${house.addresses.lan.router.v4}:${SOCKS_PORT}`;
      const url = `http://${family === "v6" ? `[${host}]` : host}:${WEB_PORT}/`;
      const { stdout } = await house.lan.exec("curl", ["-sS", "-g", "-x", proxy, url]);
      assert.equal(stdout, "page");
      assert.ok(await connects(host));
      await setRefusing(host, true);
    });
  }

  test("a destination that refused is tried again after ten seconds", async () => {
    const host = REFUSING.other.v4;
    await fate(host);
    assert.equal(await fate(host), "ECONNREFUSED");
    await setRefusing(host, false);
    const from = performance.now();
    await until(() => connects(host));
    const seconds = (performance.now() - from) / 1_000;
    assert.ok(seconds > 5 && seconds < 13, `${seconds} s`);
    await setRefusing(host, true);
  });

  test("a client of an unreachable destination is told that it is unreachable", async () => {
    assert.equal(await fate(ABSENT), "ECONNRESET");
    assert.equal(await fate(ABSENT), "EHOSTUNREACH");
  });

  test("rules apply keeps the sets; the next start empties what SIGKILL leaves; rules clear and a stop remove the sets", async () => {
    const host = REFUSING.other.v4;
    assert.equal((await hawser.runLocal(["rules", "apply"])).stdout, "ipv4: unchanged\nipv6: unchanged\n");
    await fate(host);
    assert.equal(await fate(host), "ECONNREFUSED");
    hawser.local.process.kill("SIGKILL");
    await once(hawser.local.process, "exit");
    assert.equal(await areSetsThere(), true);
    await hawser.startLocal();
    await hawser.whenPaths((states) => states.every((state) => state === "up"));
    assert.equal(await fate(host), "ECONNRESET");
    hawser.local.process.kill("SIGKILL");
    await once(hawser.local.process, "exit");
    await hawser.runLocal(["rules", "clear"]);
    assert.equal(await areSetsThere(), false);
    assert.doesNotMatch(await rules(), /HAWSER/);
    await hawser.startLocal();
    await until(areSetsThere);
    await hawser.local.stop();
    assert.equal(await areSetsThere(), false);
    assert.doesNotMatch(await rules(), /HAWSER/);
  });
});
