import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { measureLines } from "./direct.ts";
import { House, type HouseOptions, sweep } from "./house.ts";
import { type Host, listNamespaces } from "./namespace.ts";
import { labMissing } from "./requirements.ts";
import { download, firstByte, ORIGIN_PORT, startOrigin, upload } from "./traffic/run.ts";

const FAMILIES = ["v4", "v6"] as const;
const LINES: HouseOptions["lines"] = [
  { name: "adsl1", down: 20e6, up: 4e6, delayMs: 5, queueMs: 100 },
  { name: "adsl2", down: 10e6, up: 2e6, delayMs: 10, queueMs: 100 },
  { name: "cable", kind: "veth" },
];

async function reaches(from: Host, host: string, timeoutMs = 2000): Promise<boolean> {
  return (await firstByte(from, { host, port: ORIGIN_PORT, count: 1, timeoutMs })).failed === 0;
}

describe("a house", { skip: labMissing() ?? false, timeout: 60_000 }, () => {
  let house: House;
  before(async () => {
    house = await House.create({ lines: LINES, congestion: "cubic" });
    await Promise.all([startOrigin(house.origin), startOrigin(house.remote)]);
  });
  after(() => house.close());

  test("all hosts reach the hosts that they should, over IPv4 and IPv6", async () => {
    const { addresses } = house;
    const checks = FAMILIES.flatMap((family) => [
      reaches(house.lan, addresses.origin[family]),
      reaches(house.lan, addresses.remote[family]),
      reaches(house.router, addresses.remote[family]),
      reaches(house.remote, addresses.origin[family]),
      ...house.lines.map(({ number }) => reaches(house.lan, addresses.direct(number)[family])),
      ...house.lines.map(({ number }) => reaches(house.router, addresses.lineEnds(number).remote[family])),
    ]);
    assert.deepEqual(
      await Promise.all(checks),
      checks.map(() => true),
    );
  });

  test("a direct address is served over its own line alone, both ways", async () => {
    for (const line of house.lines) {
      const before = await Promise.all(house.lines.map((each) => each.counters()));
      for (const family of FAMILIES) {
        const target = { host: house.addresses.direct(line.number)[family], port: ORIGIN_PORT };
        assert.ok((await download(house.lan, { ...target, bytes: 50_000 })).complete);
        assert.ok((await upload(house.lan, { ...target, bytes: 50_000 })).complete);
      }
      for (const [index, each] of house.lines.entries()) {
        const now = await each.counters();
        const down = now.down.deliveredBytes - (before[index]?.down.deliveredBytes ?? 0);
        const up = now.up.deliveredBytes - (before[index]?.up.deliveredBytes ?? 0);
        const used = each === line;
        assert.ok(
          used ? down > 100_000 && up > 100_000 : down < 1000 && up < 1000,
          `${each.name}: ${down} ${up}`,
        );
      }
    }
  });

  test("a socket that is bound to a line's device, or to its address, is routed over that line", async () => {
    for (const { name, number } of house.lines) {
      const { remote, lineEnds } = house.addresses;
      for (const family of FAMILIES) {
        const source = lineEnds(number).router[family];
        const bound = await house.router.exec("ip", ["route", "get", remote[family], "oif", name]);
        assert.match(bound.stdout, new RegExp(`dev ${name} .*src ${source} `));
        const from = await house.router.exec("ip", ["route", "get", remote[family], "from", source]);
        assert.match(from.stdout, new RegExp(`dev ${name} `));
      }
    }
  });

  test("connections use the congestion control of the options", async () => {
    const target = { host: house.addresses.origin.v4, port: ORIGIN_PORT };
    const transfer = download(house.lan, { ...target, seconds: 0.8 });
    await new Promise((resolve) => setTimeout(resolve, 500));
    const { stdout } = await house.origin.exec("ss", ["-tinO", "state", "established"]);
    await transfer;
    assert.match(stdout, /\bcubic\b/);
    assert.doesNotMatch(stdout, /\bbbr\b/);
  });

  test("a line that goes down loses its routes, and gets them back when it comes up", async () => {
    const line = house.line("adsl2");
    const host = house.addresses.direct(line.number);
    const routes = async (): Promise<string> =>
      (await house.router.exec("sh", ["-c", "ip -4 route show table all; ip -6 route show table all"])).stdout
        .split("\n")
        .filter((route) => !/^(fe80|local|broadcast|multicast|anycast)/.test(route))
        .toSorted()
        .join("\n");
    const before = await routes();
    await line.down();
    const without = await routes();
    const reached = await reaches(house.lan, host.v6, 300);
    await line.up();
    assert.doesNotMatch(without, /dev adsl2/);
    assert.equal(reached, false);
    assert.equal(await routes(), before);
    assert.deepEqual(await Promise.all(FAMILIES.map((family) => reaches(house.lan, host[family]))), [
      true,
      true,
    ]);
  });

  test("the plain TCP baseline of each line", async (t) => {
    const [adsl1, adsl2] = await measureLines(house, ORIGIN_PORT, {
      seconds: 1,
      skipMs: 400,
      connections: 5,
      lines: ["adsl1", "adsl2"],
    });
    t.diagnostic(JSON.stringify([adsl1, adsl2]));
    for (const [baseline, down, up, roundTrip] of [
      [adsl1, 20e6, 4e6, 10],
      [adsl2, 10e6, 2e6, 20],
    ] as const) {
      assert.ok(baseline !== undefined && baseline.downBps > 0.8 * down && baseline.downBps < down);
      assert.ok(baseline.upBps > 0.75 * up && baseline.upBps < 1.05 * up, `${baseline.upBps} up`);
      const { p50 } = baseline.firstByteMs;
      assert.ok(p50 > 2 * roundTrip && p50 < 2 * roundTrip + 6, `first byte after ${p50} ms`);
    }
  });

  test("two houses at once do not disturb each other", async () => {
    await using other = await House.create({ lines: LINES });
    assert.equal(await reaches(other.lan, other.addresses.origin.v4, 300), false);
    assert.equal(await reaches(house.lan, house.addresses.origin.v4), true);
    await other.line("adsl1").set({ blackhole: true });
    assert.equal(await reaches(house.lan, house.addresses.direct(1).v4), true);
  });
});

describe("the end of a house", { skip: labMissing() ?? false, timeout: 60_000 }, () => {
  const program = fileURLToPath(new URL("./fixtures/ending-house.ts", import.meta.url));

  /** Runs the program to its end. Returns the namespaces and processes of its house that are left. */
  async function leftOf(way: string, signal?: NodeJS.Signals): Promise<string[]> {
    const child = spawn(process.execPath, [program, way], { stdio: ["ignore", "pipe", "ignore"] });
    const prefix = String((await once(createInterface(child.stdout), "line"))[0]);
    if (signal !== undefined) child.kill(signal);
    await once(child, "exit");
    if (signal === "SIGKILL") sweep();
    return [...listNamespaces(), ...commandLines()].filter((text) => text.includes(prefix));
  }

  for (const way of ["return", "throw", "exit"]) {
    test(`nothing is left after: ${way}`, async () => assert.deepEqual(await leftOf(way), []));
  }
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    test(`nothing is left after ${signal}`, async () => assert.deepEqual(await leftOf("wait", signal), []));
  }
  test("the next run removes what SIGKILL has left", async () => {
    assert.deepEqual(await leftOf("wait", "SIGKILL"), []);
  });

  test("a house that cannot be built leaves nothing and says why", async () => {
    const mine = (): string[] => listNamespaces().filter((name) => name.startsWith(`hw${process.pid}s`));
    await assert.rejects(House.create({ lines: [{ name: "adsl1", down: -1 }] }), /rate must be above 0/);
    await assert.rejects(House.create({ lines: [{ name: "lan0" }] }), /cannot be the name/);
    await assert.rejects(House.create({ lines: [{ name: "a" }, { name: "a" }] }), /same name/);
    assert.deepEqual(mine(), []);
  });
});

/** The command lines of all processes. The emulator's names its namespaces. */
function commandLines(): string[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.flatMap((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
    } catch {
      return [];
    }
  });
}
