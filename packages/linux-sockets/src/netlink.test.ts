import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { networkInterfaces } from "node:os";
import { test } from "node:test";
import { libc, Sys } from "./libc.ts";
import { NetlinkProtocol, NetlinkSocket } from "./netlink.ts";
import {
  attribute,
  LITTLE_ENDIAN,
  listAttributes,
  nestedAttribute,
  networkOrderAttribute,
  readAttributes,
  readU32,
  writeU16,
  writeU32,
} from "./netlink-attributes.ts";
import { decodeMessages, encodeMessage, errnoOf, NetlinkFlag } from "./netlink-message.ts";
import { openFds } from "./testing/turns.ts";

const onLinux = { skip: process.platform !== "linux" && "needs Linux" };
const asRoot = { skip: process.getuid?.() !== 0 && "needs root: the group is for root alone" };
const inLittleEndian = { skip: !LITTLE_ENDIAN && "the bytes are those of a little-endian machine" };

/** rtnetlink(7) */
const RTM_GETLINK = 18;
const RTM_NEWLINK = 16;
const RTM_GETADDR = 22;
const IFLA_IFNAME = 3;
/** A protocol for messages between processes. */
const NETLINK_USERSOCK = 2;

test("attributes byte by byte: padding, nesting, the flag of network order", inLittleEndian, () => {
  assert.deepEqual([...attribute(3, "lo")], [7, 0, 3, 0, 0x6c, 0x6f, 0, 0]);
  assert.deepEqual([...attribute(1, 5)], [8, 0, 1, 0, 5, 0, 0, 0]);
  assert.deepEqual([...attribute(9, Buffer.of(1))], [5, 0, 9, 0, 1, 0, 0, 0]);
  assert.deepEqual([...networkOrderAttribute(6, Buffer.of(0, 0, 0, 10))], [8, 0, 6, 0x40, 0, 0, 0, 10]);
  const nested = nestedAttribute(7, [attribute(1, Buffer.of(0xaa)), attribute(2, 1)]);
  assert.deepEqual([...nested], [20, 0, 7, 0x80, 5, 0, 1, 0, 0xaa, 0, 0, 0, 8, 0, 2, 0, 1, 0, 0, 0]);
  const outer = readAttributes(Buffer.concat([Buffer.alloc(4), nested, attribute(4, "x")]), 4);
  assert.deepEqual([...outer.keys()], [7, 4]);
  const inner = readAttributes(outer.get(7) ?? Buffer.alloc(0));
  assert.deepEqual([...(inner.get(1) ?? [])], [0xaa]);
  assert.equal(readU32(inner.get(2) ?? Buffer.alloc(4), 0), 1);
});

test("attributes that are cut off or garbled are left out, wherever the end is", () => {
  const bytes = Buffer.concat([
    attribute(1, Buffer.from("abc")),
    attribute(1, Buffer.of(1, 2)),
    attribute(2, 7),
  ]);
  assert.deepEqual(
    listAttributes(bytes).map(([type, value]) => [type, value.length]),
    [
      [1, 3],
      [1, 2],
      [2, 4],
    ],
  );
  const ends = [7, 14, 24];
  for (let end = 0; end <= bytes.length; end++) {
    const found = listAttributes(bytes.subarray(0, end));
    assert.equal(found.length, ends.filter((whole) => end >= whole).length, `cut at ${end}`);
  }
  for (const length of [0, 1, 3, 60_000]) {
    const wrong = Buffer.from(bytes);
    writeU16(wrong, length, 0);
    assert.deepEqual(listAttributes(wrong), []);
  }
});

test("messages byte by byte; two in one datagram; cut off anywhere", inLittleEndian, () => {
  const message = { type: 18, flags: 0x301, sequence: 0x01020304, body: Buffer.of(7, 8, 9) };
  const bytes = encodeMessage(message);
  assert.deepEqual([...bytes], [19, 0, 0, 0, 18, 0, 1, 3, 4, 3, 2, 1, 0, 0, 0, 0, 7, 8, 9, 0]);
  const two = Buffer.concat([bytes, encodeMessage({ ...message, sequence: 2 })]);
  assert.deepEqual(decodeMessages(two), [message, { ...message, sequence: 2 }]);
  for (let end = 0; end < two.length; end++)
    assert.equal(
      decodeMessages(two.subarray(0, end)).length,
      end >= 39 ? 2 : end >= 19 ? 1 : 0,
      `cut at ${end}`,
    );
  const wrong = Buffer.from(two);
  writeU32(wrong, 15, 0);
  assert.deepEqual(decodeMessages(wrong), []);
  const error = { ...message, body: Buffer.from(Int32Array.of(-17).buffer) };
  assert.equal(errnoOf(error), 17);
  assert.equal(errnoOf({ ...message, body: Buffer.alloc(4) }), 0);
  assert.equal(errnoOf({ ...message, body: Buffer.alloc(0) }), 0);
});

/** `struct ifinfomsg` */
const IFINFO_BYTES = 16;

function interfaceNames(replies: readonly { type: number; body: Buffer }[]): string[] {
  return replies
    .filter(({ type }) => type === RTM_NEWLINK)
    .map(
      ({ body }) =>
        readAttributes(body, IFINFO_BYTES).get(IFLA_IFNAME)?.toString("latin1").slice(0, -1) ?? "",
    );
}

test("a listing of the kernel's interfaces, several requests at once", onLinux, async () => {
  using socket = opened();
  const list = () => socket.request(RTM_GETLINK, NetlinkFlag.dump, Buffer.alloc(IFINFO_BYTES));
  const [links, again, addresses] = await Promise.all([
    list(),
    list(),
    socket.request(RTM_GETADDR, NetlinkFlag.dump, Buffer.alloc(8)),
  ]);
  const names = interfaceNames(links);
  assert.ok(names.includes("lo"), names.join());
  for (const name of Object.keys(networkInterfaces())) assert.ok(names.includes(name), name);
  assert.deepEqual(interfaceNames(again), names);
  assert.ok(addresses.length > 0);
});

test("what the kernel refuses is a coded error, and the socket goes on", onLinux, async () => {
  using socket = opened();
  const none = Buffer.concat([Buffer.alloc(IFINFO_BYTES), attribute(IFLA_IFNAME, "nosuch0")]);
  await assert.rejects(socket.request(RTM_GETLINK, 0, none), {
    name: "SystemError",
    code: "ENODEV",
    errno: 19,
  });
  const one = Buffer.concat([Buffer.alloc(IFINFO_BYTES), attribute(IFLA_IFNAME, "lo")]);
  assert.deepEqual(interfaceNames(await socket.request(RTM_GETLINK, 0, one)), ["lo"]);
  assert.throws(() => new NetlinkSocket({ protocol: 31 }), { name: "SystemError", code: "EPROTONOSUPPORT" });
});

test("a closed socket refuses who waits and who comes, and leaves no descriptor", onLinux, async () => {
  const before = openFds();
  const socket = new NetlinkSocket({ protocol: NetlinkProtocol.route });
  const waiting = socket.request(RTM_GETLINK, NetlinkFlag.dump, Buffer.alloc(IFINFO_BYTES));
  socket.close();
  socket.close();
  await assert.rejects(waiting, { code: "ECANCELED" });
  await assert.rejects(socket.request(RTM_GETLINK, 0, Buffer.alloc(IFINFO_BYTES)), { code: "ECANCELED" });
  assert.throws(() => new NetlinkSocket({ protocol: NetlinkProtocol.route, groups: [4_000_000] }));
  assert.equal(openFds(), before);
});

test("notifications that came too fast are told to be lost, each time", {
  ...onLinux,
  ...asRoot,
}, async () => {
  let lost = Promise.withResolvers<void>();
  using socket = new NetlinkSocket({ protocol: NETLINK_USERSOCK, groups: [3], onLost: () => lost.resolve() });
  assert.ok(socket);
  for (let round = 0; round < 2; round++) {
    flood(3, 2_000);
    await lost.promise;
    lost = Promise.withResolvers<void>();
  }
});

/** Sends to a group without a pause, as another process would. */
function flood(group: number, count: number): void {
  const koffi = createRequire(import.meta.url)("koffi") as typeof import("koffi").default;
  const connect = koffi.load(null).func("int connect(int fd, const void *address, uint32_t length)");
  const c = libc();
  const fd = c.socket(Sys.AF_NETLINK, Sys.SOCK_RAW | Sys.SOCK_CLOEXEC | Sys.SOCK_NONBLOCK, NETLINK_USERSOCK);
  const address = Buffer.alloc(12);
  writeU16(address, Sys.AF_NETLINK, 0);
  writeU32(address, 1 << (group - 1), 8);
  assert.equal(connect(fd, address, address.length), 0);
  const bytes = encodeMessage({ type: 16, flags: 0, sequence: 1, body: Buffer.alloc(1_000) });
  for (let i = 0; i < count; i++) c.send(fd, bytes, bytes.length, 0);
  c.close(fd);
}

function opened(): NetlinkSocket {
  return new NetlinkSocket({ protocol: NetlinkProtocol.route });
}
