/** Keys and connections for tests. */

import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import type { TestContext } from "node:test";
import type { TLSSocket } from "node:tls";
import { type ClientTlsOptions, clientTls, serverTls } from "./psk.ts";

export const KEY = Buffer.alloc(32, 7);
export const OTHER = Buffer.alloc(32, 8);
export const KEYS = { lookup: (identity: string) => (identity === "home" ? KEY : undefined) };
export const CLIENT: ClientTlsOptions = {
  identity: "home",
  psk: KEY,
  servername: "hawser.example",
  deadlineMs: 2_000,
};

/** Both ends of a TLS connection over the loopback. The listener is at `host`, and is dialled at `dialled`. */
export async function tlsPair(
  context: TestContext,
  host = "127.0.0.1",
  dialled = host,
): Promise<{ readonly local: TLSSocket; readonly remote: TLSSocket }> {
  const server = createServer({ pauseOnConnect: true }).listen(0, host);
  await once(server, "listening");
  const accepted = once(server, "connection") as Promise<[Socket]>;
  const raw = connect((server.address() as AddressInfo).port, dialled);
  const [local, { socket: remote }] = await Promise.all([
    clientTls(raw, CLIENT),
    accepted.then(([each]) => serverTls(each, KEYS)),
  ]);
  context.after(() => {
    for (const each of [local, remote]) each.destroy();
    server.close();
  });
  return { local, remote };
}

/** A listener that does `serve` with each accepted socket; the dialled end of one connection to it. */
export async function dialled(serve: (raw: Socket) => void): Promise<{ raw: Socket; server: Server }> {
  const server = createServer({ pauseOnConnect: true }, serve).listen(0, "127.0.0.1").unref();
  await once(server, "listening");
  const raw = connect((server.address() as AddressInfo).port, "127.0.0.1");
  await once(raw, "connect");
  return { raw, server };
}

/** Waits until all are closed. */
export async function closed(...sockets: Socket[]): Promise<void> {
  // Not events.once(): it rejects on the 'error' that precedes the 'close'.
  for (const socket of sockets) {
    if (!socket.closed) await new Promise((resolve) => socket.once("close", resolve));
  }
}
