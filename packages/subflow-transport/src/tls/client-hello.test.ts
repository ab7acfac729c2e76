import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { awaitClientHello } from "./client-hello.ts";
import { TlsErrorCode } from "./tls-error.ts";

/** A handshake record (RFC 8446, section 5.1) of four bytes, as TLS 1.3 clients write its header. */
const RECORD = Buffer.of(22, 3, 1, 0, 4, 1, 0, 0, 0);
const ALERT = "1503030002020a";

/** Both ends of one connection. */
async function connection(t: TestContext): Promise<{ client: Socket; accepted: Socket }> {
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = connect({ port: (server.address() as AddressInfo).port, host: "127.0.0.1", noDelay: true });
  client.on("error", () => {});
  const [accepted] = (await once(server, "connection")) as [Socket];
  server.close();
  t.after(() => {
    client.destroy();
    accepted.destroy();
  });
  return { client, accepted };
}

test("a record that comes byte by byte is there to be read once it is whole, and what followed it", async (t) => {
  const { client, accepted } = await connection(t);
  let isWhole = false;
  const whole = awaitClientHello(accepted, { deadlineMs: 5_000 }).then(() => (isWhole = true));
  for (const byte of RECORD) {
    assert.equal(isWhole, false);
    const arrival = once(accepted, "readable");
    client.write(Buffer.of(byte));
    await arrival;
  }
  await whole;
  client.end("more");
  const bytes = Buffer.concat(await accepted.toArray());
  assert.deepEqual(bytes, Buffer.concat([RECORD, Buffer.from("more")]));
});

test("what cannot become a ClientHello gets an alert at once, without waiting for more", async (t) => {
  for (const first of [
    Buffer.from("G"),
    Buffer.of(23),
    Buffer.of(22, 2),
    Buffer.from("\0"),
    Buffer.of(22, 3, 1, 16, 1),
    Buffer.of(22, 3, 1, 0, 1, 1),
    Buffer.of(22, 3, 1, 0, 0),
    Buffer.of(22, 3, 1, 0, 9, 2),
    Buffer.of(22, 3, 1, 0, 9, 1, 0, 0, 6),
  ]) {
    const { client, accepted } = await connection(t);
    const refused = assert.rejects(awaitClientHello(accepted, { deadlineMs: 5_000 }), {
      code: TlsErrorCode.failed,
    });
    client.write(first);
    const [answer] = (await once(client, "data")) as [Buffer];
    assert.equal(answer.toString("hex"), ALERT);
    await refused;
    assert.ok(accepted.destroyed);
  }
});

test("an end, a reset, the deadline and an abort are told apart; the socket is destroyed", async (t) => {
  const { signal } = new AbortController();
  for (const [code, end, limits] of [
    [TlsErrorCode.closed, (client: Socket) => client.end(RECORD.subarray(0, 8)), { deadlineMs: 5_000 }],
    [TlsErrorCode.closed, (client: Socket) => client.resetAndDestroy(), { deadlineMs: 5_000, signal }],
    [TlsErrorCode.deadline, (client: Socket) => client.write(RECORD.subarray(0, 8)), { deadlineMs: 50 }],
    [TlsErrorCode.aborted, () => {}, { deadlineMs: 5_000, signal: AbortSignal.abort() }],
  ] as const) {
    const { client, accepted } = await connection(t);
    const refused = assert.rejects(awaitClientHello(accepted, limits), { code });
    end(client);
    await refused;
    assert.ok(accepted.destroyed, code);
  }
});
