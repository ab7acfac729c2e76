import assert from "node:assert/strict";
import { once } from "node:events";
import { Duplex } from "node:stream";
import { describe, type TestContext, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import type { TLSSocket } from "node:tls";
import { hasIpv6, libc, Sys, socketFd } from "@hawser/linux-sockets";
import { Subflow } from "@hawser/multipath-engine";
import { SubflowConnection, type SubflowConnectionEvents } from "./subflow-connection.ts";
import { tlsPair } from "./tls/testing.ts";

const onLinux = { skip: process.platform === "linux" ? false : "needs Linux and koffi" };
const FAST = 65_536;
/** With 32 bytes for other frames, records of 1 432. */
const THIN = 1_400;

/** A subflow whose line is as a test says. */
class Line extends Subflow {
  bytesOfChunk = FAST;
  bytesOfCap = 0;

  constructor() {
    super({ id: 0, path: "adsl1", role: "active", side: "local" }, 0);
    Object.defineProperty(this.model, "cap", { get: () => this.bytesOfCap });
  }

  override get chunk(): number {
    return this.bytesOfChunk;
  }
}

/** What would be TLS: it keeps what each write was given, and takes the next only when it is told to. */
class FakeTls extends Duplex {
  /** A list for each write, with the lengths of its buffers. */
  readonly writes: number[][] = [];
  #done: (() => void) | undefined;
  isSlow = false;

  override _read(): void {}

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#take([bytes.length], done);
  }

  override _writev(chunks: readonly { readonly chunk: Buffer }[], done: () => void): void {
    this.#take(
      chunks.map(({ chunk }) => chunk.length),
      done,
    );
  }

  #take(lengths: number[], done: () => void): void {
    this.writes.push(lengths);
    if (this.isSlow) this.#done = done;
    else done();
  }

  /** The write under way is through. */
  goOn(): void {
    const done = this.#done;
    this.#done = undefined;
    done?.();
  }
}

interface Rig {
  readonly line: Line;
  readonly tls: FakeTls;
  readonly connection: SubflowConnection;
  readonly told: string[];
}

function rig(chunk = FAST): Rig {
  const line = new Line();
  line.bytesOfChunk = chunk;
  const tls = new FakeTls();
  const told: string[] = [];
  const connection = new SubflowConnection(line, tls as unknown as TLSSocket, tellTo(told));
  connection.handleTurn(0);
  return { line, tls, connection, told };
}

function tellTo(told: string[]): SubflowConnectionEvents {
  return {
    onBytes: (bytes) => void told.push(`${bytes.length} bytes`),
    onDrain: () => void told.push("drain"),
    onLost: (error) => void told.push(`lost: ${error?.message}`),
  };
}

const buffers = (...lengths: readonly number[]): Buffer[] => lengths.map((length) => Buffer.alloc(length));

describe("what is written in a turn", () => {
  test("on a fast line leaves as one write, however many buffers it has", () => {
    const { connection, tls } = rig();
    const parts = Array.from({ length: 16 }, () => [9, FAST]).flat();
    connection.write(buffers(...parts));
    assert.equal(tls.writes.length, 1);
    assert.deepEqual(tls.writes.flat(), parts);
    assert.equal(connection.keyUse.records.sent, Math.ceil((16 * (9 + FAST)) / 16_384));
  });

  test("on a fast line counts as records of 16 KiB", () => {
    const { connection } = rig();
    for (const [length, records] of [
      [1, 1],
      [16_384, 2],
      [16_385, 4],
    ] as const) {
      connection.write(buffers(length));
      assert.equal(connection.keyUse.records.sent, records);
    }
  });

  test("on a thin line is one write for each chunk, with the small frames that ride along", () => {
    const { connection, tls } = rig(THIN);
    for (let n = 0; n < 3; n++) connection.write(buffers(12, 20, 9, 1_391));
    assert.deepEqual(tls.writes, [[1_432], [1_432], [1_432]]);
    assert.equal(connection.keyUse.records.sent, 3);
  });

  test("on a thin line is cut into records where a buffer ends, each as long as it may be", () => {
    const { connection, tls } = rig(THIN);
    connection.write(buffers(1_000, 433, 999, 1, 1_432, 1));
    assert.deepEqual(tls.writes, [[1_000], [1_432], [1], [1_432], [1]]);
  });

  test("a buffer that is longer than a record is written alone: it was made when the line was faster", () => {
    const { connection, tls } = rig(THIN);
    connection.write(buffers(10, 5_000, 10));
    assert.deepEqual(tls.writes, [[10], [5_000], [10]]);
  });

  test("that is nothing is no record", () => {
    for (const chunk of [THIN, FAST]) {
      const { connection, tls } = rig(chunk);
      connection.write([]);
      assert.deepEqual([tls.writes, connection.keyUse.records.sent], [[], 0]);
    }
  });

  test("stays apart on a thin line while TLS is busy, and is gathered on a fast one", () => {
    for (const [chunk, later] of [
      [THIN, [[1_400], [1_400], [1_400]]],
      [FAST, [[1_400, 1_400, 1_400]]],
    ] as const) {
      const { connection, tls } = rig(chunk);
      tls.isSlow = true;
      for (let n = 0; n < 4; n++) connection.write(buffers(1_400));
      assert.deepEqual(tls.writes, [[1_400]]);
      while (tls.writableLength > 0) tls.goOn();
      assert.deepEqual(tls.writes.slice(1), later);
    }
  });

  test("follows the line's chunk from turn to turn", () => {
    const { connection, line, tls } = rig(THIN);
    const write = (chunk: number): number[][] => {
      line.bytesOfChunk = chunk;
      connection.handleTurn(0);
      tls.writes.length = 0;
      connection.write(buffers(1_400, 1_400, 1_400, 1_400));
      return [...tls.writes];
    };
    assert.equal(write(THIN).length, 4);
    assert.deepEqual(write(2 * THIN), [[2_800], [2_800]]);
    assert.deepEqual(
      write(16_384 - 32),
      [[1_400, 1_400, 1_400, 1_400]],
      "a record of 16 KiB is as long as they get",
    );
    assert.equal(write(16_384 - 33).length, 1, "one byte less is one buffer of what fits");
    assert.equal(write(THIN).length, 4);
  });
});

describe("a connection", () => {
  test("takes more until half a megabyte waits in the process, and says when it takes more again", () => {
    const { connection, tls, told } = rig();
    tls.isSlow = true;
    connection.write(buffers(524_287));
    assert.equal(connection.takesMore, true);
    connection.write(buffers(1));
    assert.equal(connection.takesMore, false);
    assert.deepEqual(told, []);
  });

  test("passes bytes on, each record as it comes, and holds them back when they are not to be read", async () => {
    const { connection, tls, told } = rig();
    tls.push(Buffer.alloc(100));
    tls.push(Buffer.alloc(200));
    await turn();
    assert.deepEqual(told, ["100 bytes", "200 bytes"]);
    assert.equal(connection.keyUse.records.received, 2);
    connection.setReading(false);
    tls.push(Buffer.alloc(300));
    await turn();
    assert.equal(told.length, 2);
    connection.setReading(true);
    await turn();
    assert.equal(told.at(-1), "300 bytes");
  });

  test("is lost once, with its error; the end of the peer's direction is an end", async () => {
    const broken = rig();
    const closed = new Promise((resolve) => broken.tls.once("close", resolve));
    broken.tls.destroy(new Error("bad record"));
    await closed;
    assert.deepEqual(broken.told, ["lost: bad record"]);
    assert.equal(broken.connection.takesMore, false);
    const ended = rig();
    ended.tls.push(null);
    await once(ended.tls, "close");
    assert.deepEqual(ended.told, ["lost: undefined"]);
    assert.equal(ended.connection.closeReason, undefined);
  });

  test("that is closed writes its last words, takes no more, and keeps the first reason", async () => {
    const { connection, tls, told } = rig(THIN);
    connection.close(buffers(10, 20), "the path was removed");
    connection.close(buffers(99), "another reason");
    assert.deepEqual(tls.writes, [[30]]);
    assert.equal(connection.takesMore, false);
    assert.equal(connection.closeReason, "the path was removed");
    tls.push(null);
    await once(tls, "close");
    assert.deepEqual(told, ["lost: undefined"]);
  });

  test("that is closed on a line that takes nothing is cut after a second", (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const { connection, tls } = rig();
    tls.isSlow = true;
    connection.close(buffers(10), "going");
    t.mock.timers.tick(999);
    assert.equal(tls.destroyed, false);
    t.mock.timers.tick(1);
    assert.equal(tls.destroyed, true);
  });

  test("that cannot write any more is closed without last words", () => {
    const { connection, tls } = rig();
    tls.end();
    connection.close(buffers(10), "going");
    assert.deepEqual([tls.writes, tls.destroyed], [[], true]);
  });
});

describe("over TLS", onLinux, () => {
  async function joined(t: TestContext, host?: string, dialled?: string) {
    const { local, remote } = await tlsPair(t, host, dialled);
    const line = new Line();
    const told: string[] = [];
    const connection = new SubflowConnection(line, local, tellTo(told));
    return { local, remote, line, told, connection };
  }

  test("the kernel holds unsent half the cap, at least 128 KiB, told when it changes by half", async (t) => {
    const { connection, line, local } = await joined(t);
    const held = (cap: number): number => {
      line.bytesOfCap = cap;
      connection.handleTurn(0);
      const value = Buffer.from(new ArrayBuffer(4));
      const fd = socketFd(local) ?? -1;
      libc().getsockopt(fd, Sys.IPPROTO_TCP, Sys.TCP_NOTSENT_LOWAT, value, Uint32Array.of(4));
      return new Int32Array(value.buffer)[0] as number;
    };
    // Before its first turn `limitUnsent` has told the kernel; not in this test.
    const caps = [400_000, 599_998, 600_000, 400_002, 400_000, 0, 393_214, 393_218];
    assert.deepEqual(
      caps.map(held),
      [200_000, 200_000, 300_000, 300_000, 200_000, 131_072, 131_072, 196_609],
    );
    local.destroy();
    line.bytesOfCap = 10_000_000;
    connection.handleTurn(0);
  });

  test("what is under way, and what is not even sent, is told from the kernel's counts", async (t) => {
    const { connection, remote, local } = await joined(t);
    remote.pause();
    connection.write(buffers(1_000));
    await once(remote, "readable");
    let report = connection.look();
    for (let n = 0; n < 10_000 && report?.outstanding !== 0; n++) {
      await turn();
      report = connection.look();
    }
    assert.ok(report);
    assert.deepEqual([report.outstanding, report.unsent], [0, 0]);
    assert.ok(report.segment > 500 && report.minRtt > 0 && report.queue >= 0);
    assert.equal(report.hasHole, false);
    // With the headers of a few packets, and TLS's 22 bytes.
    assert.ok(connection.line.sent > 1_022 && connection.line.sent < 10_000);
    // More than the kernels of both ends take.
    connection.write([Buffer.alloc(64 << 20)]);
    const more = connection.look();
    assert.ok(
      more !== undefined && more.unsent >= 32 << 20 && more.outstanding >= more.unsent,
      `${more?.unsent}`,
    );
    local.destroy();
    assert.equal(connection.look(), undefined);
  });

  test("cut resets the connection and discards what the kernel has not sent", async (t) => {
    const { connection, remote, told } = await joined(t);
    connection.write(buffers(1));
    await once(remote, "data");
    remote.pause();
    connection.write([Buffer.alloc(32 << 20)]);
    await turn();
    let error: NodeJS.ErrnoException | undefined;
    remote.on("error", (each) => {
      error = each;
    });
    const closed = new Promise((resolve) => remote.once("close", resolve));
    connection.cut("unresponsive");
    remote.resume();
    await closed;
    assert.equal(error?.code, "ECONNRESET");
    assert.deepEqual([told, connection.closeReason], [["lost: undefined"], "unresponsive"]);
  });

  test("packets of IPv4 count as such on a listener of IPv6", async (t) => {
    if (!hasIpv6()) return t.skip("no IPv6");
    const { remote } = await joined(t, "::", "127.0.0.1");
    assert.match(remote.remoteAddress ?? "", /^::ffff:/);
    const { line } = new SubflowConnection(new Line(), remote, tellTo([]));
    const one = {
      bytesSent: 0,
      bytesAcked: 0,
      segsOut: 1,
      bytesReceived: 0,
      segsIn: 0,
      hasTimestamps: false,
    };
    line.handleInfo(one as Parameters<typeof line.handleInfo>[0]);
    assert.equal(line.sent, 40);
  });
});
