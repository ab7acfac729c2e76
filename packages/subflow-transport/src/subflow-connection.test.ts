import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, type TestContext, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { hasIpv6, libc, Sys, socketFd } from "@hawser/linux-sockets";
import { SubflowConnection } from "./subflow-connection.ts";
import { buffers, Line, rig, THIN, tellTo } from "./testing.ts";
import { tlsPair } from "./tls/testing.ts";

const onLinux = { skip: process.platform === "linux" ? false : "needs Linux and koffi" };

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
