/** Checks by the clock, on real devices, that emulated lines have the rates, delays and losses that they claim. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { after, before, beforeEach, describe, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { CountersReply } from "./emulator/protocol.ts";
import { House } from "./house.ts";
import type { Namespace } from "./namespace.ts";
import { labMissing } from "./requirements.ts";
import { download, startOrigin, upload } from "./traffic/run.ts";
import { percentile } from "./traffic/short.ts";
import type { ProbeReport, ReceiverReport } from "./traffic/udp.ts";

const UDP = fileURLToPath(new URL("./traffic/udp.ts", import.meta.url));
const PORT = 9000;
const DELAY_TOLERANCE_MS = 2.5;
const RATE_TOLERANCE = 0.02;
/** The share of TCP's payload in a full IPv4 packet with timestamps. */
const TCP_SHARE = 1448 / 1500;

interface Receiver {
  /** Reports the packets since the last report. */
  report(): Promise<ReceiverReport>;
}

async function startReceiver(host: Namespace, addresses: readonly string[]): Promise<Receiver> {
  const args = [UDP, "receive", String(PORT), ...addresses];
  const child = host.spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  if (child.stdout === null) throw new Error("no stdout");
  const lines = createInterface(child.stdout);
  await once(lines, "line");
  return {
    report: async () => {
      const line = once(lines, "line");
      child.stdin?.write("report\n");
      return JSON.parse(String((await line)[0])) as ReceiverReport;
    },
  };
}

async function udp<T>(host: Namespace, ...args: (string | number)[]): Promise<T> {
  return JSON.parse((await host.exec(process.execPath, [UDP, ...args.map(String)])).stdout) as T;
}

const median = (values: readonly number[]): number => percentile(values, 0.5);

/** The rate of packets of `bytes` bytes: all packets after the first, over the time they took. */
function rateOf(report: ReceiverReport, bytes = 1500): number {
  return ((report.packets - 1) * bytes * 8000) / report.spanMs;
}

function assertNear(actual: number, expected: number, tolerance: number, what: string): void {
  assert.ok(
    Math.abs(actual - expected) <= tolerance,
    `${what}: ${actual}, expected ${expected} +-${tolerance}`,
  );
}

describe("the emulator on real devices", { skip: labMissing() ?? false, timeout: 60_000 }, () => {
  let house: House;
  let atOrigin: Receiver;
  let inLan: Receiver;
  let originPort: number;

  before(async () => {
    house = await House.create({
      congestion: "cubic",
      lines: [
        { name: "dsl", down: 8.41e6, up: 0.8e6, delayMs: 12, queueMs: 150 },
        { name: "lab", down: 20e6, up: 20e6, delayMs: 5, queueMs: 50 },
        { name: "fast1", down: 100e6, up: 100e6, delayMs: 5, queueMs: 60 },
        { name: "fast2", down: 100e6, up: 100e6, delayMs: 5, queueMs: 60 },
      ],
    });
    const { lan, direct } = house.addresses;
    atOrigin = await startReceiver(
      house.origin,
      house.lines.flatMap(({ number }) => Object.values(direct(number))),
    );
    inLan = await startReceiver(house.lan, [lan.client.v4]);
    originPort = (await startOrigin(house.origin)).port;
  });
  after(() => house.close());
  // A test that fails half way must not spoil the next tests.
  beforeEach(() => house.line("lab").set({ up: 20e6, delayMs: 5, loss: 0, blackhole: false }));

  const direct = (line: string, family: "v4" | "v6" = "v4"): string =>
    house.addresses.direct(house.line(line).number)[family];
  const probe = (line: string, count: number, everyMs: number, family?: "v4" | "v6"): Promise<ProbeReport> =>
    udp<ProbeReport>(house.lan, "probe", direct(line, family), PORT, count, everyMs);
  const blastUp = (line: string, rate: number, seconds: number, bytes = 1500): Promise<{ sent: number }> =>
    udp(house.lan, "blast", direct(line), PORT, rate, seconds, bytes);

  test("the delay of each direction, IPv4 and IPv6", async (t) => {
    for (const family of ["v4", "v6"] as const) {
      const { upMs, downMs, lost } = await probe("dsl", 60, 7, family);
      assert.equal(lost, 0);
      // A probe is a packet of 60 bytes (IPv6: 80), at either rate.
      const bits = family === "v4" ? 480 : 640;
      const roundTrips = upMs.map((up, index) => up + (downMs[index] as number));
      describeDelays(t, `dsl ${family} up`, upMs);
      describeDelays(t, `dsl ${family} down`, downMs);
      assertNear(median(upMs), 12 + bits / 800, DELAY_TOLERANCE_MS, "up");
      assertNear(median(downMs), 12 + bits / 8410, DELAY_TOLERANCE_MS, "down");
      assertNear(median(roundTrips), 24 + bits / 800 + bits / 8410, DELAY_TOLERANCE_MS, "round trip");
      const spread = percentile(roundTrips, 0.75) - percentile(roundTrips, 0.25);
      assert.ok(spread < 3, `half of the round trips within ${spread} ms`);
    }
  });

  test("the delay under load short of the rate", async (t) => {
    const [{ upMs }] = await Promise.all([probe("lab", 100, 5), blastUp("lab", 10e6, 0.8)]);
    describeDelays(t, "lab up, half loaded", upMs);
    // At half load a probe sometimes waits for the rest of one packet: 0.6 ms at most.
    assertNear(median(upMs), 5.2, DELAY_TOLERANCE_MS, "up");
    await atOrigin.report();
  });

  test("the rate, both directions, and the delay a full queue adds", async (t) => {
    await inLan.report();
    // The origin's end sends to the LAN over line 1, "dsl".
    const down = udp(house.origin, "blast", house.addresses.lan.client.v4, PORT, 14e6, 1.5);
    await sleep(500);
    const { downMs } = await probe("dsl", 40, 15);
    await down;
    const received = await inLan.report();
    describeDelays(t, "dsl down, queue full", downMs);
    t.diagnostic(`dsl down ${rateOf(received) / 1e6} Mbit/s of 8.41`);
    assertNear(rateOf(received) / 8.41e6, 1, RATE_TOLERANCE, "rate down");
    // The last packet that fits waits 150 ms, and behind a packet in transmission for 1.4 ms at most.
    assertNear(median(downMs), 12 + 150 + 0.7, 3, "delay with a full queue");
    await blastUp("dsl", 1e6, 1.5);
    const upwards = await atOrigin.report();
    t.diagnostic(`dsl up ${rateOf(upwards) / 1e6} Mbit/s of 0.8`);
    assertNear(rateOf(upwards) / 0.8e6, 1, RATE_TOLERANCE, "rate up");
  });

  test("the share of lost packets, in one direction alone", async (t) => {
    await house.line("lab").set({ loss: { up: 0.05 } });
    const { sent } = await blastUp("lab", 8e6, 1.5, 300);
    const lost = sent - (await atOrigin.report()).packets;
    const { lost: probesLost } = await probe("lab", 20, 1);
    const { down, up } = await house.line("lab").counters();
    t.diagnostic(`${lost} of ${sent} packets lost, ${((100 * lost) / sent).toFixed(2)} %`);
    // Four standard deviations of the binomial.
    assertNear(lost / sent, 0.05, 4 * Math.sqrt((0.05 * 0.95) / sent), "loss");
    assert.ok(up.lossDrops >= lost && up.lossDrops <= lost + probesLost);
    assert.equal(down.lossDrops, 0);
  });

  test("a blackhole, both ways and one way, is silent and ends when told", async () => {
    await house.line("lab").set({ blackhole: true });
    assert.equal((await probe("lab", 5, 5)).lost, 5);
    await house.line("lab").set({ blackhole: { up: false } });
    await blastUp("lab", 1e6, 0.1);
    assert.ok((await atOrigin.report()).packets > 5, "the other direction is open");
    assert.equal((await probe("lab", 5, 5)).lost, 5);
    await house.line("lab").set({ blackhole: false });
    assert.equal((await probe("lab", 5, 5)).lost, 0);
    const { down } = await house.line("lab").counters();
    assert.ok(down.blackholeDrops >= 5);
  });

  test("changes of rate and delay hold while packets flow", async (t) => {
    const line = house.line("lab");
    const flow = blastUp("lab", 24e6, 2.4);
    await sleep(700);
    await atOrigin.report();
    await sleep(600);
    const before = await atOrigin.report();
    await line.set({ up: 10e6, delayMs: 40 });
    // After this time packets at the far end of the wire, and in the queue, have the new rate.
    await sleep(250);
    await atOrigin.report();
    await sleep(600);
    const after = await atOrigin.report();
    await flow;
    const { downMs } = await probe("lab", 20, 5);
    t.diagnostic(
      `${rateOf(before) / 1e6} Mbit/s of 20, then ${rateOf(after) / 1e6} of 10; delay ${median(downMs)}`,
    );
    assertNear(rateOf(before) / 20e6, 1, RATE_TOLERANCE, "rate before");
    assertNear(rateOf(after) / 10e6, 1, RATE_TOLERANCE, "rate after");
    assertNear(median(downMs), 40, DELAY_TOLERANCE_MS, "delay after");
  });

  test("200 Mbit/s in total on less than one core", async (t) => {
    const before = await house.emulatorCounters();
    const started = performance.now();
    const options = { port: originPort, seconds: 3, skipMs: 1000 };
    const results = await Promise.all([
      download(house.lan, { host: direct("fast1"), ...options }),
      download(house.lan, { host: direct("fast2"), ...options }),
    ]);
    const used = cpuBetween(before, await house.emulatorCounters(), performance.now() - started);
    t.diagnostic(
      `${results.map(({ goodputBps }) => (goodputBps / 1e6).toFixed(2)).join(" + ")} Mbit/s goodput of 2 x ${100 * TCP_SHARE};` +
        ` emulator ${(100 * used.cores).toFixed(0)} % of a core, ${used.usPerPacket.toFixed(1)} us a packet (delivery` +
        ` through the kernel included), ${used.secondsPerGb.toFixed(1)} CPU-s per GB`,
    );
    for (const { goodputBps, error } of results) {
      assert.equal(error, null);
      assertNear(goodputBps / (100e6 * TCP_SHARE), 1, RATE_TOLERANCE, "goodput");
    }
    assert.ok(used.cores < 0.8, `${used.cores} cores`);
  });

  test("uploads are measured where they arrive, and the emulator sleeps when nothing flows", async (t) => {
    const { goodputBps, complete } = await upload(house.lan, {
      host: direct("lab"),
      port: originPort,
      bytes: 2_000_000,
    });
    assert.ok(complete);
    t.diagnostic(`upload ${(goodputBps / 1e6).toFixed(2)} Mbit/s of ${20 * TCP_SHARE}`);
    await sleep(300);
    const before = await house.emulatorCounters();
    await sleep(1000);
    const wakeups = (await house.emulatorCounters()).wakeups - before.wakeups;
    assert.ok(wakeups < 50, `${wakeups} wake-ups in an idle second`);
  });
});

function describeDelays(t: TestContext, what: string, ms: readonly number[]): void {
  const [p1, p50, p99] = [0.01, 0.5, 0.99].map((rank) => percentile(ms, rank).toFixed(2));
  t.diagnostic(`${what}: p1 ${p1}, p50 ${p50}, p99 ${p99} ms of ${ms.length}`);
}

function cpuBetween(
  before: CountersReply,
  after: CountersReply,
  elapsedMs: number,
): { cores: number; usPerPacket: number; secondsPerGb: number } {
  const total = ({ lines }: CountersReply, key: "deliveredPackets" | "deliveredBytes"): number =>
    Object.values(lines).reduce((sum, { down, up }) => sum + down[key] + up[key], 0);
  const cpuMs = after.cpu.userMs + after.cpu.systemMs - before.cpu.userMs - before.cpu.systemMs;
  return {
    cores: cpuMs / elapsedMs,
    usPerPacket: (cpuMs * 1000) / (total(after, "deliveredPackets") - total(before, "deliveredPackets")),
    secondsPerGb: (cpuMs * 1e6) / (total(after, "deliveredBytes") - total(before, "deliveredBytes")),
  };
}
