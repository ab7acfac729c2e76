/** Plain listeners, and pairs of TLS sockets with a relay between them that sees their records. */

import { constants } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import type { TestContext } from "node:test";
import { createSecureContext, type TLSSocket, connect as tlsConnect } from "node:tls";
import { acceptTls } from "../node-internals.ts";

/** A listener whose connections come paused; they end with the test. */
export async function listening(
  context: TestContext,
  onConnection?: (socket: Socket) => void,
): Promise<Server> {
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
    open.add(socket.on("error", () => {}));
    onConnection?.(socket);
  }).listen(0, "127.0.0.1");
  context.after(() => {
    server.close();
    for (const socket of open) socket.destroy();
  });
  await once(server, "listening");
  return server;
}

export const portOf = (server: Server): number => (server.address() as AddressInfo).port;

/** The lengths of what TLS records of application data carry (RFC 8446, section 5.2), as their bytes go by. */
class RecordTap {
  readonly lengths: number[] = [];
  #rest = Buffer.alloc(0);

  take(bytes: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    for (;;) {
      if (this.#rest.length < 5) return;
      const length = this.#rest.readUInt16BE(3);
      if (this.#rest.length < 5 + length) return;
      // A tag of 16 bytes and the type of what is inside.
      if (this.#rest[0] === 23) this.lengths.push(length - 17);
      this.#rest = this.#rest.subarray(5 + length);
    }
  }
}

export interface TlsPair {
  readonly client: TLSSocket;
  readonly server: TLSSocket;
  readonly clientRaw: Socket;
  readonly serverRaw: Socket;
  /** The records from the client to the server since the handshake. */
  readonly tap: RecordTap;
  /** Puts bytes among those from the client to the server. */
  readonly inject: (bytes: Buffer) => void;
}

const KEY = Buffer.alloc(32, 7);
export const CONTEXT = createSecureContext({
  ciphers: "TLS_AES_128_GCM_SHA256",
  minVersion: "TLSv1.3",
  ca: [],
  secureOptions: constants.SSL_OP_NO_TICKET,
});
export const psk = (_socket: TLSSocket, identity: string): Buffer | null =>
  identity === "home" ? KEY : null;

export function dialTls(socket: Socket, identity = "home"): TLSSocket {
  return tlsConnect({
    socket,
    secureContext: CONTEXT,
    minVersion: "TLSv1.3",
    servername: "hawser.example",
    pskCallback: () => ({ identity, psk: KEY }),
    checkServerIdentity: () => new Error("a certificate"),
  });
}

/** A client and a server of TLS with a relay between them that sees the records. */
export async function tlsPair(context: TestContext): Promise<TlsPair> {
  const target = await listening(context);
  let tap = new RecordTap();
  let up: Socket | undefined;
  const relay = await listening(context, (down) => {
    up = connect(portOf(target), "127.0.0.1").on("error", () => {});
    up.pipe(down);
    down.on("data", (bytes: Buffer) => {
      tap.take(bytes);
      up?.write(bytes);
    });
    down.on("close", () => up?.destroy()).resume();
  });
  const clientRaw = connect(portOf(relay), "127.0.0.1");
  const [serverRaw] = (await once(target, "connection")) as [Socket];
  const server = acceptTls(serverRaw, { secureContext: CONTEXT, pskCallback: psk });
  const client = dialTls(clientRaw);
  context.after(() => client.destroy());
  await Promise.all([once(server, "secure"), once(client, "secureConnect")]);
  // The client's Finished is on its way, in a record of the same type.
  client.write("x");
  await once(server, "data");
  tap = new RecordTap();
  return {
    client,
    server,
    clientRaw,
    serverRaw,
    get tap() {
      return tap;
    },
    inject: (bytes) => void up?.write(bytes),
  };
}
