/**
 * Floods of strangers' connections at the remote gateway's port, which send nothing or nonsense, while a paired gateway
 * carries a download and another one joins.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import type { Socket } from "node:net";
import { after, afterEach, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { tearDown } from "../lab/cleanup.ts";
import { Hawser, until } from "../lab/hawser.ts";
import { House } from "../lab/house.ts";
import { labMissing } from "../lab/requirements.ts";
import { download, ORIGIN_PORT, startOrigin } from "../lab/traffic/run.ts";
import { connectFrom, destroySockets, Reader } from "./sockets.ts";
import { descriptorsOf } from "./support.ts";

const MIB = 2 ** 20;
const SECONDS = 3;
/** How many connections of each kind a flood has. */
const STRANGERS = 2_000;
const TICK_MS = 50;
/**
 * The most resident memory that one flood adds, and that all floods add together: the heap may double before garbage is
 * collected. TLS for each stranger would take twice as much.
 */
const MOST_ADDED = 40 * MIB;
/** The most silent connections of one address. A unit test holds this number (gateway-remote/src/strangers.ts). */
const PER_SOURCE = 64;
/** The strangers' addresses in the origin's network. Each address has more connections than are admitted of one. */
const SOURCES = Array.from({ length: 16 }, (_, i) => `198.51.100.${100 + i}`);
const GARBAGE = Buffer.from("GET / HTTP/1.1\r\nHost: scanner.example\r\n\r\n");

describe("strangers", { skip: labMissing() ?? false, timeout: 180_000 }, () => {
  let house: House;
  let hawser: Hawser;
  /** Resident memory of the remote gateway after traffic and before the first flood, bytes. */
  let memory: number;
  before(async () => {
    house = await House.create({
      lines: [
        { name: "adsl1", down: 40e6, up: 10e6, delayMs: 10 },
        { name: "adsl2", down: 40e6, up: 10e6, delayMs: 10 },
      ],
    });
    await startOrigin(house.origin);
    await house.origin.ip(SOURCES.map((address) => `-4 address add ${address}/24 dev eth0`));
    hawser = await Hawser.start(house);
  });
  after(() => tearDown(hawser, house));
  afterEach(destroySockets);

  const port = (): { host: string; port: number } => ({ host: house.addresses.remote.v4, port: 4433 });

  function stranger(source = SOURCES[0] as string): Socket {
    return connectFrom(house.origin, port(), { localAddress: source })
      .on("error", () => {})
      .resume();
  }

  /**
   * Opens `count` silent connections and as many with nonsense, evenly over the time. All stay until they are closed.
   */
  async function flood(count: number, seconds: number): Promise<void> {
    const ticks = (seconds * 1_000) / TICK_MS;
    for (let tick = 0; tick < ticks; tick++) {
      for (let i = 0; i < count / ticks; i++) {
        const source = SOURCES[i % SOURCES.length];
        stranger(source);
        stranger(source).write(GARBAGE);
      }
      await sleep(TICK_MS);
    }
  }

  function rate(seconds: number): Promise<number> {
    const task = { host: house.addresses.origin.v4, port: ORIGIN_PORT, seconds };
    return download(house.lan, task).then(({ goodputBps }) => goodputBps);
  }

  async function refused(reason: string): Promise<number> {
    const { stdout } = await hawser.remote.curl("/metrics");
    const line = `hawser_connections_refused_total{listener="subflow",reason="${reason}"} `;
    return Number(
      stdout
        .split("\n")
        .find((each) => each.startsWith(line))
        ?.slice(line.length) ?? 0,
    );
  }

  test("a flood of 2 000 silent and 2 000 garbled connections costs the download and the memory nothing", async (t) => {
    await rate(1);
    const alone = await rate(SECONDS);
    memory = hawser.remote.residentBytes();
    const [descriptors, cpu] = [descriptorsOf(hawser.remote), hawser.remote.cpuSeconds()];
    let [mostMemory, mostDescriptors] = [memory, descriptors];
    const watch = setInterval(() => {
      mostMemory = Math.max(mostMemory, hawser.remote.residentBytes());
      mostDescriptors = Math.max(mostDescriptors, descriptorsOf(hawser.remote));
    }, 100);
    const [flooded] = await Promise.all([rate(SECONDS), flood(STRANGERS, SECONDS)]);
    clearInterval(watch);
    const mbit = (bps: number): string => (bps / 1e6).toFixed(1);
    t.diagnostic(
      `${mbit(alone)} Mbit/s alone, ${mbit(flooded)} in the flood; resident ${(memory / MIB).toFixed(0)} MiB, at most ` +
        `${(mostMemory / MIB).toFixed(0)}; descriptors ${descriptors}, at most ${mostDescriptors}; ` +
        `${(hawser.remote.cpuSeconds() - cpu).toFixed(2)} CPU-seconds`,
    );
    t.diagnostic(`displaced ${await refused("displaced")}, no TLS ${await refused("handshake_failed")}`);
    assert.ok(flooded > 0.8 * alone, `${flooded} of ${alone}`);
    assert.ok(mostMemory < memory + MOST_ADDED);
    // Silent connections stay up to the share of their address, until others of that address displace them.
    const kept = SOURCES.length * PER_SOURCE;
    assert.ok(mostDescriptors < descriptors + kept + 50, `${mostDescriptors} descriptors`);
    assert.ok((await refused("displaced")) > 0.9 * (STRANGERS - kept));
    assert.ok((await refused("handshake_failed")) > 0.8 * STRANGERS);
    const lines = hawser.remote.logText().match(/was not let in/g) ?? [];
    assert.ok(lines.length < 20, `${lines.length} lines`);
  });

  test("a paired gateway gets in during more floods, and these take no more memory", async (t) => {
    await hawser.local.stop();
    const flooding = flood(STRANGERS, SECONDS);
    const started = performance.now();
    await hawser.startLocal();
    await hawser.whenPaths((states) => states.every((state) => state === "up" || state === "probation"));
    t.diagnostic(`all lines up ${Math.round(performance.now() - started)} ms after the gateway's start`);
    assert.ok(performance.now() - started < 1_000 * SECONDS);
    await flooding;
    await flood(STRANGERS, SECONDS);
    t.diagnostic(`resident ${(hawser.remote.residentBytes() / MIB).toFixed(0)} MiB after three floods`);
    assert.ok(hawser.remote.residentBytes() < memory + MOST_ADDED);
  });

  test("a scanner gets an alert and nothing else; a slow client is cut after 5 s", async () => {
    const scanner = stranger();
    const answer = new Reader(scanner);
    scanner.write(GARBAGE);
    await answer.end();
    // RFC 8446, section 5.1: an alert has two bytes.
    assert.match(Buffer.from(answer.text, "latin1").toString("hex"), /^1503..0002....$/);

    const started = performance.now();
    const silent = stranger();
    const slow = stranger();
    // The header of a ClientHello of 512 bytes, which then come one by one.
    slow.write(Buffer.of(0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3));
    const drip = setInterval(() => slow.write(Buffer.of(7)), 200);
    await Promise.all([once(silent, "end"), once(slow, "end")]);
    clearInterval(drip);
    const seconds = (performance.now() - started) / 1_000;
    assert.ok(seconds > 4.5 && seconds < 7, `${seconds} s`);
    await until(async () => (await refused("handshake_deadline")) >= 2);
  });
});
