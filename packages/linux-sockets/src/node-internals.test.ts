/** What Hawser relies on in Node beyond its documentation: each test fails when Node changes it. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, readFileSync, readlinkSync } from "node:fs";
import { connect, Socket } from "node:net";
import { test } from "node:test";
import type { TLSSocket } from "node:tls";
import { libc, Sys } from "./libc.ts";
import {
  acceptTls,
  missingInternals,
  onTlsError,
  openUnconnected,
  setWritesApart,
  socketFd,
} from "./node-internals.ts";
import { CONTEXT, dialTls, listening, portOf, psk, tlsPair } from "./testing/tls-pair.ts";
import { turns, until, untilArrived } from "./testing/turns.ts";

const onLinux = { skip: process.platform === "linux" ? false : "needs Linux and koffi" };

/** The kernel's name of the socket behind a descriptor of this process: `socket:[inode]`. */
function kernelName(fd: number | undefined): string {
  return readlinkSync(`/proc/self/fd/${fd}`);
}

/** The ports that the kernel has for the socket behind a descriptor, by the inode in /proc/net/tcp (proc_net_tcp(5)). */
function portsOf(fd: number | undefined): { local: number; remote: number } {
  const inode = /\d+/.exec(kernelName(fd))?.[0];
  const rows = readFileSync("/proc/self/net/tcp", "latin1").split("\n");
  const columns = rows.map((row) => row.trim().split(/ +/)).find((row) => row[9] === inode) ?? [];
  const [local, remote] = [columns[1], columns[2]].map((each) =>
    Number.parseInt(each?.split(":")[1] ?? "", 16),
  );
  return { local: local as number, remote: remote as number };
}

function rawSocket(): number {
  return libc().socket(Sys.AF_INET, Sys.SOCK_STREAM | Sys.SOCK_NONBLOCK | Sys.SOCK_CLOEXEC, 0);
}

/** What arrives until all of `bytes` has, by 'data' events. */
async function events(socket: TLSSocket, bytes: number): Promise<number[]> {
  const lengths: number[] = [];
  let sum = 0;
  const { promise, resolve } = Promise.withResolvers<void>();
  const onData = ({ length }: Buffer): void => {
    lengths.push(length);
    sum += length;
    if (sum >= bytes) resolve();
  };
  socket.on("data", onData);
  await promise;
  socket.off("data", onData).resume();
  return lengths;
}

test("socketFd: the kernel knows that descriptor as this connection, also below TLS", onLinux, async (t) => {
  const { client, server, clientRaw, serverRaw } = await tlsPair(t);
  for (const [secure, raw] of [
    [client, clientRaw],
    [server, serverRaw],
  ] as const) {
    const ports = { local: raw.localPort, remote: raw.remotePort };
    assert.deepEqual(portsOf(socketFd(raw)), ports);
    assert.deepEqual(portsOf(socketFd(secure)), ports);
  }
  const listener = await listening(t);
  assert.deepEqual(portsOf(socketFd(listener)), { local: portOf(listener), remote: 0 });
  client.destroy();
  assert.equal(socketFd(client), undefined);
  assert.equal(socketFd(new Socket()), undefined);
});

test(
  "connect: an IP literal keeps the descriptor, the second address of a name does not",
  onLinux,
  async (t) => {
    const server = await listening(t);
    const kept = openUnconnected(rawSocket(), {});
    t.after(() => kept.destroy());
    const before = kernelName(socketFd(kept));
    kept.connect({ host: "127.0.0.1", port: portOf(server) });
    await once(kept, "connect");
    assert.equal(kernelName(socketFd(kept)), before);

    const replaced = openUnconnected(rawSocket(), {});
    t.after(() => replaced.destroy());
    const first = kernelName(socketFd(replaced));
    const addresses = ["127.0.0.2", "127.0.0.1"].map((address) => ({ address, family: 4 }));
    const lookup = (_name: string, _options: unknown, done: (...args: unknown[]) => void): void =>
      done(null, addresses);
    replaced.connect({
      host: "hawser.example",
      port: portOf(server),
      lookup: lookup as never,
      autoSelectFamily: true,
    });
    await once(replaced, "connect");
    assert.notEqual(
      kernelName(socketFd(replaced)),
      first,
      "createPinnedSocket need not ask for IP literals any more",
    );
  },
);

test("openUnconnected: nothing is read until connect(), in whichever turn that is", onLinux, async (t) => {
  const server = await listening(t, (socket) => void socket.end("hello"));
  const socket = openUnconnected(rawSocket(), {});
  t.after(() => socket.destroy());
  await turns();
  assert.equal(socket.destroyed, false);
  socket.connect({ host: "127.0.0.1", port: portOf(server) });
  assert.equal(String((await once(socket, "data"))[0]), "hello");

  const eager = new Socket({ fd: rawSocket() });
  const [error] = (await once(eager, "error")) as [NodeJS.ErrnoException];
  assert.equal(error.code, "ENOTCONN", "Node no longer reads at once: openUnconnected may go");
});

test(
  "connect: when 'connect' comes the descriptor is there and nothing has been read",
  onLinux,
  async (t) => {
    const server = await listening(t, (socket) => void socket.end("hello"));
    const order: string[] = [];
    const onread = {
      buffer: Buffer.alloc(16),
      callback: () => {
        order.push("read");
        return true;
      },
    };
    const socket = connect({ host: "127.0.0.1", port: portOf(server), onread });
    t.after(() => socket.destroy());
    assert.equal(socketFd(socket), undefined, "no descriptor before the connecting begins, in the next tick");
    socket.once("connect", () => {
      order.push("connect");
      assert.equal(portsOf(socketFd(socket)).remote, portOf(server));
    });
    await once(socket, "end");
    assert.deepEqual(order, ["connect", "read"]);
  },
);

test(
  "onread: one buffer is filled again and again, false holds at once, the constructor calls nobody",
  onLinux,
  async (t) => {
    const server = await listening(t);
    const peer = connect(portOf(server), "127.0.0.1");
    t.after(() => peer.destroy());
    const [accepted] = (await once(server, "connection")) as [Socket];
    peer.end(Buffer.alloc(100, 1));
    const buffer = Buffer.alloc(30);
    const lengths: number[] = [];
    const callback = (length: number, view: Uint8Array): boolean => {
      assert.equal(view, buffer);
      assert.ok(view.subarray(0, length).every((byte) => byte === 1));
      buffer.fill(0);
      lengths.push(length);
      return lengths.length !== 1;
    };
    await untilArrived(accepted, 100);
    const fd = libc().dup(socketFd(accepted) ?? -1);
    const reader = new Socket({ fd, allowHalfOpen: true, onread: { buffer, callback } });
    t.after(() => reader.destroy());
    assert.deepEqual(lengths, [], "in the constructor");
    await until(() => lengths.length > 0);
    await turns();
    assert.deepEqual(lengths, [30], "false was returned");
    reader.resume();
    await once(reader, "end");
    assert.deepEqual(lengths, [30, 30, 30, 10]);
  },
);

test(
  "setWritesApart: each write that waits is a record of its own; otherwise they are gathered",
  onLinux,
  async (t) => {
    const { client, server, tap } = await tlsPair(t);
    const write = async (count: number): Promise<number[]> => {
      const before = tap.lengths.length;
      const all = events(server, count * 1_000);
      for (let n = 0; n < count; n++) client.write(Buffer.alloc(1_000));
      await all;
      return tap.lengths.slice(before);
    };
    assert.deepEqual(await write(8), [1_000, 7_000]);
    setWritesApart(client, true);
    assert.deepEqual(await write(8), Array(8).fill(1_000));
    client.cork();
    process.nextTick(() => client.uncork());
    assert.deepEqual(await write(8), Array(8).fill(1_000), "corked");
    setWritesApart(client, false);
    assert.deepEqual(await write(8), [1_000, 7_000]);
  },
);

test(
  "setMaxSendFragment: what was lowered is not raised again, so setWritesApart is needed",
  onLinux,
  async (t) => {
    const { client, server, tap } = await tlsPair(t);
    client.setMaxSendFragment(1_000);
    client.setMaxSendFragment(16_384);
    client.write(Buffer.alloc(4_000));
    await events(server, 4_000);
    assert.deepEqual(tap.lengths, [1_000, 1_000, 1_000, 1_000]);
  },
);

test(
  "TLS: a write is cut into records of 16 KiB, and each record is one 'data' event",
  onLinux,
  async (t) => {
    const { client, server, tap } = await tlsPair(t);
    client.write(Buffer.alloc(40_000));
    assert.deepEqual(await events(server, 40_000), [16_384, 16_384, 7_232]);
    assert.deepEqual(tap.lengths, [16_384, 16_384, 7_232]);
    setWritesApart(client, true);
    // These arrive together, as the peer is not read meanwhile.
    server.pause();
    for (let n = 0; n < 8; n++) client.write(Buffer.alloc(100));
    await until(() => tap.lengths.length >= 11);
    const all = events(server, 800);
    server.resume();
    assert.deepEqual(await all, Array(8).fill(100));
  },
);

test("onTlsError: tells of a bad record, which Node lets stand open and silent", onLinux, async (t) => {
  const { client, server, inject } = await tlsPair(t);
  // The server sends an alert, of which a socket of tls.connect() tells by 'error'.
  const alerted = new Promise<NodeJS.ErrnoException>((resolve) => client.once("error", resolve));
  const errors: string[] = [];
  server.on("error", () => errors.push("error"));
  const told = new Promise<Error>((resolve) => onTlsError(server, resolve));
  inject(Buffer.concat([Buffer.of(23, 3, 3, 0, 32), Buffer.alloc(32)]));
  const error = (await told) as NodeJS.ErrnoException;
  assert.match(error.code ?? "", /^ERR_SSL_/);
  assert.match((await alerted).code ?? "", /ALERT_BAD_RECORD_MAC$/);
  assert.deepEqual([errors, server.destroyed], [[], false], "Node tells of it itself: onTlsError may go");
});

test("acceptTls: the key of an identity is asked for, and none ends the handshake", onLinux, async (t) => {
  const asked: string[] = [];
  const server = await listening(t, (raw) => {
    const options = {
      secureContext: CONTEXT,
      pskCallback: (_: TLSSocket, name: string) => asked.push(name) && psk(_, name),
    };
    acceptTls(raw, options as Parameters<typeof acceptTls>[1]).on("error", () => {});
  });
  const known = dialTls(connect(portOf(server), "127.0.0.1"));
  t.after(() => known.destroy());
  await once(known, "secureConnect");
  const unknown = dialTls(connect(portOf(server), "127.0.0.1"), "stranger");
  await once(unknown, "error");
  assert.deepEqual(asked, ["home", "stranger"]);
});

test("acceptTls: what was read of the connection and put back is read by TLS", onLinux, async (t) => {
  const server = await listening(t);
  const client = dialTls(connect(portOf(server), "127.0.0.1"));
  t.after(() => client.destroy());
  const [raw] = (await once(server, "connection")) as [Socket];
  await once(raw, "readable");
  const hello = raw.read() as Buffer;
  assert.equal(hello[0], 22);
  raw.unshift(hello);
  const secure = acceptTls(raw, { secureContext: CONTEXT, pskCallback: psk });
  await Promise.all([once(secure, "secure"), once(client, "secureConnect")]);
  client.write("through");
  assert.equal(String((await once(secure, "data"))[0]), "through");
});

test("missingInternals: nothing is missing here, and the descriptor is closed", onLinux, async () => {
  const fd = rawSocket();
  const name = kernelName(fd);
  assert.equal(missingInternals(fd), undefined);
  // Node closes a handle in the event loop's next turn.
  await turns();
  assert.notEqual(existsSync(`/proc/self/fd/${fd}`) && kernelName(fd), name);
});
