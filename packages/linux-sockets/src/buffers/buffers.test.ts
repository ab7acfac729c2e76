import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, Socket } from "node:net";
import { test } from "node:test";
import { createPinnedSocket } from "../pinned-socket.ts";
import { assertNoLeak, openFds, turns, until, untilArrived } from "../testing/turns.ts";
import { BufferPool } from "./buffer-pool.ts";
import { adoptAccepted, pooledOnRead, type ReadSink } from "./pooled-reader.ts";

const onLinux = { skip: process.platform === "linux" ? false : "needs Linux and koffi" };
const newPool = (): BufferPool => new BufferPool({ bufferBytes: 65_536, maxIdleBytes: 1 << 20 });

/** Collects what a reader delivers, and gives the buffers back, scribbled over so that a late use shows. */
class Collector {
  readonly pieces: Buffer[] = [];
  readonly sizes: number[] = [];
  /** What the buffers from the pool lay in. */
  readonly memories = new Set<unknown>();
  readonly pool: BufferPool;
  goOn = true;

  constructor(pool: BufferPool) {
    this.pool = pool;
  }

  readonly sink: ReadSink = (buffer, length) => {
    this.pieces.push(Buffer.from(buffer.subarray(0, length)));
    this.sizes.push(buffer.length);
    if (buffer.length === this.pool.bufferBytes) this.memories.add(buffer.buffer);
    buffer.fill(0xee);
    this.pool.release(buffer);
    return this.goOn;
  };

  get bytes(): Buffer {
    return Buffer.concat(this.pieces);
  }
}

interface Reading {
  readonly reader: Socket;
  readonly peer: Socket;
  readonly server: Server;
}

/** A connection whose accepted end is read with `collector`. */
async function accepted(collector: Collector, prefix?: Buffer): Promise<Reading> {
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true }).listen(0, "127.0.0.1").unref();
  await once(server, "listening");
  const peer = connect({
    port: (server.address() as AddressInfo).port,
    host: "127.0.0.1",
    allowHalfOpen: true,
  });
  if (prefix !== undefined) peer.write(prefix);
  const [socket] = (await once(server, "connection")) as [Socket];
  if (prefix !== undefined) await untilArrived(socket, prefix.length);
  const reader = adoptAccepted(socket, { pool: collector.pool, sink: collector.sink });
  return { reader, peer, server };
}

test("the pool lends, takes back, bounds what is idle, and ignores what is not its own", () => {
  const pool = new BufferPool({ bufferBytes: 1024, maxIdleBytes: 2048 });
  const buffers = [pool.acquire(), pool.acquire(), pool.acquire()];
  assert.ok(buffers.every((buffer) => buffer.length === 1024));
  const [a, b, c] = buffers as [Buffer, Buffer, Buffer];
  assert.equal(pool.release(Buffer.alloc(1024)), false, "not from here");
  assert.equal(pool.release(a), true);
  assert.equal(pool.release(a), false, "twice would lend it to two owners");
  assert.equal(pool.release(b.subarray(100, 200)), true, "a view stands for its buffer");
  assert.equal(pool.release(c), true);
  const again = pool.acquire();
  assert.equal(again.length, 1024, "whole again");
  assert.equal(again.buffer, b.buffer, "the last one used comes first");
  assert.equal(pool.acquire().buffer, a.buffer);
  const known = new Set<unknown>([a, b, c].map(({ buffer }) => buffer));
  assert.ok(!known.has(pool.acquire().buffer), "two were idle, the third was dropped");
  assert.throws(() => new BufferPool({ bufferBytes: 0, maxIdleBytes: 0 }), RangeError);
});

test("bytes arrive in order, whatever their grouping, on accepted and dialled sockets", onLinux, async () => {
  const before = openFds();
  const sent = randomBytes(3_000_000);
  const here = new Collector(newPool());
  const { reader, peer, server } = await accepted(here, sent.subarray(0, 10));
  let offset = 10;
  for (const size of [1, 17_000, 300_000, 5, 65_536, 1_000_000]) {
    peer.write(sent.subarray(offset, offset + size));
    offset += size;
    await turns(2);
  }
  peer.end(sent.subarray(offset));
  await once(reader, "end");
  assert.ok(here.bytes.equals(sent));
  assert.ok(here.memories.size < here.pieces.length / 2, `${here.memories.size} buffers made`);
  assert.ok((here.sizes[0] ?? 0) < 100, "a small read takes a small buffer");

  const there = new Collector(newPool());
  const onread = pooledOnRead({ pool: there.pool, sink: there.sink });
  const echo = createServer((socket) => socket.end(sent)).listen(0, "127.0.0.1");
  await once(echo, "listening");
  const port = (echo.address() as AddressInfo).port;
  const dialled = createPinnedSocket({ family: 4, onread }).connect({ port, host: "127.0.0.1" });
  await once(dialled, "end");
  assert.ok(there.bytes.equals(sent));
  for (const socket of [reader, peer, dialled]) socket.destroy();
  for (const listener of [server, echo]) listener.close();
  await assertNoLeak(before);
});

test("two sockets at once do not mix their bytes", onLinux, async () => {
  const pool = newPool();
  const [one, two] = [new Collector(pool), new Collector(pool)];
  const [a, b] = [await accepted(one), await accepted(two)];
  const ends = [once(a.reader, "end"), once(b.reader, "end")];
  a.peer.end(Buffer.alloc(2_000_000, 1));
  b.peer.end(Buffer.alloc(2_000_000, 2));
  await Promise.all(ends);
  assert.ok(one.bytes.equals(Buffer.alloc(2_000_000, 1)) && two.bytes.equals(Buffer.alloc(2_000_000, 2)));
  for (const { reader, peer, server } of [a, b]) {
    reader.destroy();
    peer.destroy();
    server.close();
  }
});

test("false pauses, resume() goes on, pause() holds at once", onLinux, async () => {
  const here = new Collector(newPool());
  here.goOn = false;
  const { reader, peer, server } = await accepted(here);
  const sent = randomBytes(1_000_000);
  peer.write(sent);
  await until(() => here.pieces.length > 0);
  const first = here.bytes.length;
  assert.ok(first <= 262_144, `one read, not ${first} bytes`);
  await turns();
  assert.equal(here.bytes.length, first, "nothing more while paused");
  reader.resume();
  await until(() => here.bytes.length > first);
  here.goOn = true;
  reader.resume();
  reader.pause();
  const held = here.bytes.length;
  await turns();
  assert.equal(here.bytes.length, held, "pause() holds at once");
  const end = once(reader, "end");
  reader.resume();
  peer.end();
  await end;
  assert.ok(here.bytes.equals(sent));
  reader.destroy();
  server.close();
});

test("the end of one direction leaves the other open", onLinux, async () => {
  const here = new Collector(newPool());
  const { reader, peer, server } = await accepted(here);
  peer.end("request");
  await once(reader, "end");
  assert.equal(String(here.bytes), "request");
  assert.equal(reader.writable, true);
  assert.equal(reader.destroyed, false);
  const chunks: Buffer[] = [];
  peer.on("data", (chunk: Buffer) => chunks.push(chunk));
  reader.write("late ");
  await until(() => chunks.length > 0);
  reader.end("answer");
  await Promise.all([once(peer, "end"), once(reader, "close")]);
  assert.equal(String(Buffer.concat(chunks)), "late answer");
  server.close();
});

test("a reset is an error and then a close, and bytes before it were delivered", onLinux, async () => {
  const before = openFds();
  const here = new Collector(newPool());
  const { reader, peer, server } = await accepted(here);
  const closing = new Promise((resolve) => reader.once("close", resolve));
  const failing = once(reader, "error").catch((error: unknown) => [error]);
  peer.write("before");
  await until(() => here.pieces.length > 0);
  peer.resetAndDestroy();
  await closing;
  const [error] = (await failing) as [NodeJS.ErrnoException];
  assert.equal(error.code, "ECONNRESET");
  assert.equal(String(here.bytes), "before");
  server.close();
  await assertNoLeak(before);
});

test("a connection that is gone cannot be adopted, as a coded error", onLinux, () => {
  const before = openFds();
  const here = new Collector(newPool());
  const gone = new Socket();
  assert.throws(() => adoptAccepted(gone, { pool: here.pool, sink: here.sink }), { code: "EBADF" });
  assert.equal(openFds(), before);
});
