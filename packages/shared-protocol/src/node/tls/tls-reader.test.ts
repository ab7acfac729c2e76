import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { BufferPool } from "../buffers/buffer-pool.ts";
import { SlabPool } from "../buffers/slab-pool.ts";
import { clientTls, serverTls } from "./psk.ts";
import { readTls, TlsReadShape } from "./tls-reader.ts";

const PSK = Buffer.alloc(32, 7);

async function tlsPair() {
  const server = createServer({ pauseOnConnect: true }).listen(0, "127.0.0.1").unref();
  await once(server, "listening");
  const raw = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const [accepted] = (await once(server, "connection")) as [Socket];
  const [client, served] = await Promise.all([
    clientTls(raw, { identity: "home", psk: PSK, servername: "hawser.example" }),
    serverTls(accepted, { lookup: () => PSK }),
  ]);
  server.close();
  return { client, served: served.socket };
}

test("a slab goes back to its pool after the last of its pieces, and not before", () => {
  const pool = new BufferPool({ bufferBytes: 1024, maxIdleBytes: 4096 });
  const slabs = new SlabPool(pool);
  const slab = slabs.open();
  const piece = slab.subarray(10, 20);
  slabs.retain(piece);
  slabs.retain(slab.subarray(15, 18));
  slabs.release(slab);
  slabs.release(piece);
  assert.equal(pool.stats.idle, 0);
  slabs.release(piece);
  assert.equal(pool.stats.idle, 1);
  slabs.release(piece);
  slabs.release(Buffer.alloc(5));
  assert.equal(pool.stats.idle, 1, "others' memory, and what is back already, is ignored");
});

for (const shape of Object.values(TlsReadShape)) {
  test(`${shape}: everything arrives in order, through pauses, with bytes that came before the reader`, async () => {
    const pool = new BufferPool({ bufferBytes: 65_536, maxIdleBytes: 1 << 20 });
    const slabs = new SlabPool(pool);
    const { client, served } = await tlsPair();
    const sent = randomBytes(4_000_000);
    client.write(sent.subarray(0, 50_000));
    await sleep(20);
    const held: Buffer[] = [];
    const got: Buffer[] = [];
    // Holds some pieces for a while, as a reorder buffer does: their bytes must not change under it.
    const settle = (most: number): void => {
      while (held.length > most) {
        const piece = held.shift();
        if (piece === undefined) return;
        got.push(Buffer.from(piece));
        if (shape === TlsReadShape.slabs) piece.fill(0xee);
        slabs.release(piece);
      }
    };
    let count = 0;
    const used = readTls(
      served,
      (chunk) => {
        held.push(chunk);
        settle(40);
        if (++count % 7 !== 0) return true;
        setTimeout(() => served.resume(), 1);
        return false;
      },
      shape === TlsReadShape.slabs ? slabs : undefined,
    );
    assert.equal(used, shape, "this Node has what the shape needs");
    const end = once(served, "end");
    for (let offset = 50_000; offset < sent.length; offset += 123_457) {
      client.write(sent.subarray(offset, offset + 123_457));
    }
    client.end();
    await end;
    settle(0);
    assert.ok(Buffer.concat(got).equals(sent));
    served.destroy();
    client.destroy();
    if (shape === TlsReadShape.slabs) {
      assert.ok(pool.stats.reused > pool.stats.created, JSON.stringify(pool.stats));
      for (let i = 0; i < 100 && pool.stats.lent > 0; i++) await sleep(5);
      assert.equal(pool.stats.lent, 0);
    }
  });

  test(`${shape}: false stops the bytes within what was already read`, async () => {
    const slabs = new SlabPool(new BufferPool({ bufferBytes: 65_536, maxIdleBytes: 1 << 20 }));
    const { client, served } = await tlsPair();
    let bytes = 0;
    const sink = (chunk: Buffer): boolean => {
      bytes += chunk.length;
      return false;
    };
    readTls(served, sink, shape === TlsReadShape.slabs ? slabs : undefined);
    client.write(Buffer.alloc(3_000_000));
    await sleep(50);
    assert.ok(bytes > 0 && bytes <= 65_536 + 16_384, String(bytes));
    served.destroy();
    client.destroy();
  });
}

test("where Node's internals are not as expected the reader falls back to events", async () => {
  const slabs = new SlabPool(new BufferPool({ bufferBytes: 65_536, maxIdleBytes: 1 << 20 }));
  const { client, served } = await tlsPair();
  const handle = (served as unknown as { _handle: { useUserBuffer: unknown } })._handle;
  handle.useUserBuffer = undefined;
  const chunks: Buffer[] = [];
  const shape = readTls(served, (chunk) => chunks.push(chunk) > 0, slabs);
  assert.equal(shape, TlsReadShape.events);
  client.end("still there");
  await once(served, "end");
  assert.equal(String(Buffer.concat(chunks)), "still there");
  served.destroy();
  client.destroy();
});
