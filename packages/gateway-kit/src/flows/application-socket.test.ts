import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { afterEach, test } from "node:test";
import { libc, Sys, socketFd } from "@hawser/linux-sockets";
import { MSG_OOB, send } from "@hawser/linux-sockets/testing";
import { type Listener, listen } from "../listen.ts";
import { createLogger } from "../log.ts";
import { adoptApplication, dialApplication } from "./application-socket.ts";

const HOST = "127.0.0.1";
/** linux/tcp.h */
const TCP_USER_TIMEOUT = 18;
const logger = createLogger({ role: "local", name: "test", level: "silent" });
const sockets: Socket[] = [];
const listeners: Listener[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const listener of listeners.splice(0)) listener.close();
});

function option(socket: Socket, level: number, name: number): number {
  const value = new Int32Array(1);
  const buffer = Buffer.from(value.buffer);
  const fd = socketFd(socket) ?? -1;
  assert.equal(libc().getsockopt(fd, level, name, buffer, Uint32Array.of(4)), 0);
  return value[0] as number;
}

/** What an application socket of either kind has read, and how the test gets hold of it. */
class Received {
  text = "";
  #wake: () => void = () => {};
  readonly take = (bytes: Buffer, release: () => void): boolean => {
    this.text += bytes.toString("latin1");
    release();
    this.#wake();
    return true;
  };

  async until(length: number): Promise<string> {
    while (this.text.length < length) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.text;
  }
}

/** A gateway's accepted socket and the port to reach it at. */
async function accepting(received: Received): Promise<{ port: number; socket: Promise<Socket> }> {
  const { promise: socket, resolve } = Promise.withResolvers<Socket>();
  const listener = await listen({ key: "test", host: HOST, port: 0 }, logger, (accepted) => {
    const adopted = adoptApplication(accepted, received.take);
    sockets.push(adopted);
    resolve(adopted);
  });
  listeners.push(listener);
  return { port: listener.port, socket };
}

function dial(port: number, received: Received): Promise<Socket> {
  const lookup = (): void => assert.fail("an address is not looked up");
  return new Promise((connected, failed) => {
    const options = { host: HOST, port, lookup };
    const socket = dialApplication(options, received.take, connected);
    sockets.push(socket.once("error", failed));
  }).then((socket) => {
    sockets.push(socket as Socket);
    return socket as Socket;
  });
}

test("both sides' sockets probe after 45 s and have patience for 8 minutes at least", async () => {
  const { port, socket } = await accepting(new Received());
  const dialled = await dial(port, new Received());
  for (const each of [await socket, dialled]) {
    assert.equal(option(each, Sys.SOL_SOCKET, Sys.SO_KEEPALIVE), 1);
    assert.equal(option(each, Sys.IPPROTO_TCP, Sys.TCP_KEEPIDLE), 45);
    const interval = option(each, Sys.IPPROTO_TCP, Sys.TCP_KEEPINTVL);
    const patience = interval * option(each, Sys.IPPROTO_TCP, Sys.TCP_KEEPCNT);
    // Not so long that a dead peer is never noticed.
    assert.ok(interval <= 60 && patience >= 8 * 60 && patience <= 15 * 60, `${interval} s, ${patience} s`);
    // Another one would end the connection sooner, whatever the probes say.
    assert.equal(option(each, Sys.IPPROTO_TCP, TCP_USER_TIMEOUT), 0);
    assert.equal(option(each, Sys.IPPROTO_TCP, 1), 1, "TCP_NODELAY");
  }
});

/** Sends these one after the other, the last byte of those in upper case as urgent; then FIN. */
async function sendUrgent(socket: Socket, pieces: readonly string[]): Promise<void> {
  for (const piece of pieces) {
    const flags = /^[A-Z]/.test(piece) ? MSG_OOB : 0;
    assert.equal(send(socketFd(socket) ?? -1, Buffer.from(piece), piece.length, flags), piece.length);
    // So that the reader may have taken it before the next one comes, or not.
    await new Promise(setImmediate);
  }
  socket.end();
}

const PIECES = ["A", "bc", "D", "E", "fgh", "IJ", "k", "L"];

test("urgent bytes are read in their place: accepted", { timeout: 10_000 }, async () => {
  const received = new Received();
  const { port, socket } = await accepting(received);
  const client = connect(port, HOST);
  sockets.push(client);
  await Promise.all([socket, once(client, "connect")]);
  await sendUrgent(client, PIECES);
  assert.equal(await received.until(PIECES.join("").length), PIECES.join(""));
});

test("urgent bytes are read in their place: dialled, also those that come with the connection", {
  timeout: 10_000,
}, async () => {
  const received = new Received();
  const server = createServer().listen(0, HOST).unref();
  await once(server, "listening");
  const connected = once(server, "connection") as Promise<[Socket]>;
  const dialled = dial((server.address() as AddressInfo).port, received);
  const [accepted] = await connected;
  sockets.push(accepted);
  await sendUrgent(accepted, PIECES);
  assert.equal(await received.until(PIECES.join("").length), PIECES.join(""));
  (await dialled).destroy();
  server.close();
});
