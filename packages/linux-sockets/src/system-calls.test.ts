import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { libc } from "./libc.ts";
import { socketFd } from "./node-internals.ts";
import { originalDestination } from "./original-destination.ts";
import { createPinnedSocket, type PinnedSocketOptions } from "./pinned-socket.ts";
import { getCongestion, setCongestion, setNotSentLowat } from "./socket-options.ts";
import { tcpInfo } from "./tcp-info.ts";
import { assertNoLeak, openFds, turns, until } from "./testing/turns.ts";

const onLinux = { skip: process.platform === "linux" ? false : "needs Linux and koffi" };

interface Pair {
  client: Socket;
  accepted: Socket;
  readonly close: () => void;
}

/** A connection over the loopback, its client made by `dial`. */
async function pair(host: string, dial: (port: number) => Socket): Promise<Pair> {
  const server = createServer({ allowHalfOpen: true }).listen(0, host).unref();
  await once(server, "listening");
  const client = dial((server.address() as AddressInfo).port);
  const [[accepted]] = (await Promise.all([once(server, "connection"), once(client, "connect")])) as [
    [Socket],
    unknown,
  ];
  const close = (): void => {
    client.destroy();
    accepted.destroy();
    server.close();
  };
  return { client, accepted, close };
}

test("options of a live socket are set and read back", onLinux, async () => {
  const { client, close } = await pair("127.0.0.1", (port) => connect(port, "127.0.0.1"));
  setNotSentLowat(client, 131_072);
  setCongestion(client, "reno");
  assert.equal(getCongestion(client), "reno");
  assert.throws(() => setCongestion(client, "nosuch"), { name: "SystemError", code: "ENOENT" });
  close();
  assert.equal(socketFd(client), undefined);
  assert.equal(getCongestion(client), undefined);
  assert.throws(() => setNotSentLowat(client, 1), { code: "EBADF" });
});

test(
  "TCP_INFO counts the bytes that were acknowledged, and is undefined for what is no connection",
  onLinux,
  async () => {
    const { client, accepted, close } = await pair("127.0.0.1", (port) => connect(port, "127.0.0.1"));
    accepted.resume();
    client.write(Buffer.alloc(100_000));
    const acked = (): number => tcpInfo(socketFd(client))?.bytesAcked ?? 0;
    await until(() => acked() >= 100_000);
    const info = tcpInfo(socketFd(client));
    assert.ok(info !== undefined);
    // The SYN counts as one.
    assert.ok(info.bytesAcked >= 100_000 && info.bytesAcked <= 100_001, String(info.bytesAcked));
    assert.equal(tcpInfo(socketFd(accepted))?.bytesReceived, 100_000);
    assert.ok(info.rtt > 0 && info.rtt < 1_000_000 && info.minRtt <= info.rtt * 4, JSON.stringify(info));
    assert.ok(info.cwnd >= 1 && info.sndMss > 500 && info.notsentBytes === 0);
    close();
    assert.equal(tcpInfo(socketFd(client)), undefined);
    assert.equal(tcpInfo(undefined), undefined);
    assert.equal(tcpInfo(1 << 20), undefined);
  },
);

test("TCP_INFO: a least round trip that nobody has measured yet is 0", onLinux, () => {
  const socket = createPinnedSocket({ family: 4, source: "127.0.0.1" });
  assert.equal(tcpInfo(socketFd(socket))?.minRtt, 0);
  socket.destroy();
});

test(
  "a pinned socket connects over its device, from its source, at any time after its making",
  onLinux,
  async () => {
    const before = openFds();
    const options: PinnedSocketOptions = { family: 4, interface: "lo", source: "127.0.0.5" };
    const socket = createPinnedSocket(options);
    // Bound without a port: many pinned sockets do not use up the ephemeral ones.
    assert.equal((socket.address() as AddressInfo).address, "127.0.0.5");
    assert.equal((socket.address() as AddressInfo).port, 0);
    await turns();
    const { client, accepted, close } = await pair("127.0.0.1", (port) =>
      socket.connect({ port, host: "127.0.0.1" }),
    );
    assert.equal(accepted.remoteAddress, "127.0.0.5");
    client.write("there");
    assert.equal(String((await once(accepted, "data"))[0]), "there");
    accepted.end("back");
    assert.equal(String((await once(client, "data"))[0]), "back");
    await once(client, "end");
    assert.equal(client.writable, true, "half-closed, not closed");
    close();
    await assertNoLeak(before);
  },
);

test("pinning by IPv6 works likewise", onLinux, async (t) => {
  const probe = createServer().listen(0, "::1").unref();
  const [outcome] = (await Promise.race([once(probe, "listening"), once(probe, "error")]).catch((e) => [
    e,
  ])) as [unknown];
  probe.close();
  if (outcome instanceof Error) return t.skip("no IPv6 loopback");
  const socket = createPinnedSocket({ family: 6, interface: "lo", source: "::1" });
  const { accepted, close } = await pair("::1", (port) => socket.connect({ port, host: "::1" }));
  assert.equal(accepted.remoteAddress, "::1");
  assert.deepEqual(originalDestination(accepted), { error: "ENOENT" });
  close();
});

test("what cannot be pinned is a coded error, and leaves no descriptor behind", onLinux, () => {
  const before = openFds();
  const refusals: [Partial<PinnedSocketOptions>, string, RegExp][] = [
    [{ interface: "nosuch0" }, "ENODEV", /no interface named "nosuch0"/],
    [{ interface: "" }, "ENODEV", /no interface named ""/],
    [{ interface: "lo-and-much-too-long" }, "ENODEV", /no interface named/],
    [{ source: "198.51.100.77" }, "EADDRNOTAVAIL", /not an address of this machine/],
    [{ source: "::1" }, "ERR_BAD_ARGUMENT", /not an IPv4 address/],
    [{ source: "localhost" }, "ERR_BAD_ARGUMENT", /not an IPv4 address/],
    [{ family: 6, source: "127.0.0.1" }, "ERR_BAD_ARGUMENT", /not an IPv6 address/],
    [{ family: 6, source: "fe80::1%nosuch0" }, "ENODEV", /no interface named "nosuch0"/],
  ];
  for (let round = 0; round < 20; round++) {
    for (const [options, code, message] of refusals) {
      assert.throws(() => createPinnedSocket({ family: 4, ...options }), {
        name: "SystemError",
        code,
        message,
      });
    }
  }
  assert.equal(openFds(), before);
});

test("a duplicated descriptor is closed on exec and outlives the first", onLinux, async () => {
  const { client, close } = await pair("127.0.0.1", (port) => connect(port, "127.0.0.1"));
  const copy = libc().dup(socketFd(client) ?? -1);
  assert.ok(copy > 2);
  assert.ok(tcpInfo(copy));
  const seen = execFileSync("sh", ["-c", `test -e /proc/self/fd/${copy} && echo leaked || echo closed`], {
    encoding: "utf8",
  });
  assert.equal(seen.trim(), "closed");
  assert.equal(libc().close(copy), 0);
  close();
  assert.equal(libc().dup(-1), -1);
  assert.equal(libc().errno(), 9);
});

test(
  "without conntrack or without a peer there is no original destination, as a value",
  onLinux,
  async () => {
    const { accepted, client, close } = await pair("127.0.0.1", (port) => connect(port, "127.0.0.1"));
    // With conntrack the kernel knows even a direct connection: it then names the listener itself.
    const found = originalDestination(accepted);
    if ("error" in found) assert.equal(found.error, "ENOENT");
    else assert.equal(found.port, accepted.localPort);
    client.destroy();
    accepted.destroy();
    assert.deepEqual(originalDestination(accepted), { error: "ENOTCONN" });
    close();
  },
);
