import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { test } from "node:test";
import { assertNoLeak, openFds } from "@hawser/linux-sockets/testing";
import { clientTls, type ServerTls, serverTls } from "./psk.ts";
import { CLIENT, closed, dialled, KEYS } from "./testing.ts";
import { type TlsError, TlsErrorCode } from "./tls-error.ts";

test("a silent client meets the deadline, a silent server too, and both sockets go", async () => {
  const before = openFds();
  const served = Promise.withResolvers<unknown>();
  const quiet = await dialled((socket) => void serverTls(socket, KEYS, 50).catch(served.resolve));
  assert.equal(((await served.promise) as TlsError).code, TlsErrorCode.deadline);
  await closed(quiet.raw.resume());
  quiet.server.close();

  const mute = await dialled((socket) => socket.on("error", () => {}).resume());
  await assert.rejects(clientTls(mute.raw, { ...CLIENT, deadlineMs: 50 }), { code: TlsErrorCode.deadline });
  assert.ok(mute.raw.destroyed);
  mute.server.close();
  await assertNoLeak(before);
});

test("an abort ends the handshake, also one that came before it", async () => {
  const before = openFds();
  const mute = await dialled((socket) => socket.on("error", () => {}).resume());
  const late = AbortSignal.timeout(20);
  await assert.rejects(clientTls(mute.raw, { ...CLIENT, signal: late }), { code: TlsErrorCode.aborted });
  mute.server.close();
  const early = await dialled((socket) => socket.on("error", () => {}).resume());
  const options = { ...CLIENT, signal: AbortSignal.abort() };
  await assert.rejects(clientTls(early.raw, options), { code: TlsErrorCode.aborted });
  early.server.close();
  await assertNoLeak(before);
});

test("an end, a reset or garbage in place of a ClientHello ends the server's handshake", async () => {
  const before = openFds();
  const attacks: ((raw: Socket) => void)[] = [
    (raw) => raw.end(),
    (raw) => raw.resetAndDestroy(),
    (raw) => raw.write("GET / HTTP/1.1\r\n\r\n"),
    (raw) => raw.end(Buffer.from([22, 3, 1, 2, 0, 1])),
  ];
  for (const attack of attacks) {
    const served = Promise.withResolvers<unknown>();
    const { raw, server } = await dialled(
      (socket) => void serverTls(socket, KEYS, 2000).catch(served.resolve),
    );
    raw.on("error", () => {}).resume();
    attack(raw);
    const error = (await served.promise) as TlsError;
    assert.ok(error.code === TlsErrorCode.closed || error.code === TlsErrorCode.failed, error.code);
    raw.destroy();
    server.close();
  }
  await assertNoLeak(before);
});

test("a bad record after the handshake closes both ends without an uncaught error", async () => {
  const before = openFds();
  const rawServer = Promise.withResolvers<Socket>();
  const served = Promise.withResolvers<ServerTls>();
  const { raw, server } = await dialled((socket) => {
    rawServer.resolve(socket);
    void serverTls(socket, KEYS, 2000).then(served.resolve, served.reject);
  });
  const client = await clientTls(raw, CLIENT);
  const { socket } = await served.promise;
  // Bytes written past TLS on the same connection: what a forger on the line could do.
  (await rawServer.promise).write(Buffer.alloc(64, 22));
  client.resume();
  socket.resume();
  await closed(client, socket);
  server.close();
  await assertNoLeak(before);
});
