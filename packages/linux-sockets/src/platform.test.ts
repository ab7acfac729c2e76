import assert from "node:assert/strict";
import { test } from "node:test";
import { TLSSocket } from "node:tls";
import { type Libc, libc, Sys } from "./libc.ts";
import { checkPlatform } from "./platform.ts";
import { openFds } from "./testing/turns.ts";

const onLinux = { skip: process.platform === "linux" ? false : "needs Linux and koffi" };

/** The C library of a kernel that answers getsockopt(2) of one option otherwise. */
function otherwise(option: number, change: (value: Buffer, length: Uint32Array) => number): Libc {
  const c = libc();
  const getsockopt: Libc["getsockopt"] = (fd, level, name, value, length) => {
    const result = c.getsockopt(fd, level, name, value, length);
    return name === option ? change(value, length) : result;
  };
  return { ...c, getsockopt };
}

test("this machine is as expected, and nothing stays open", onLinux, () => {
  checkPlatform();
  const before = openFds();
  assert.deepEqual(checkPlatform(), []);
  assert.equal(openFds(), before);
});

test("a kernel that tells less of TCP, or at other places, is named and no reason to stop", onLinux, () => {
  const old = otherwise(Sys.TCP_INFO, (_value, length) => {
    length[0] = 192;
    return 0;
  });
  const [short, ...more] = checkPlatform(old);
  assert.deepEqual([short?.isFatal, more], [false, []]);
  assert.match(short?.what ?? "", /tells 192 bytes of TCP_INFO/);
  for (const at of [0, 16, 148]) {
    const longer = otherwise(Sys.TCP_INFO, (value) => {
      value.copyWithin(at + 4, at).fill(0, at, at + 4);
      return 0;
    });
    const [moved, ...others] = checkPlatform(longer);
    assert.deepEqual([moved?.isFatal, others], [false, []], `a new field at ${at}`);
    assert.match(moved?.what ?? "", /another layout/);
  }
  const refused = otherwise(Sys.TCP_INFO, () => -1);
  assert.match(checkPlatform(refused)[0]?.what ?? "", /tells 0 bytes/);
});

test("where a TCP socket is none, the start is barred", onLinux, () => {
  const datagram = otherwise(Sys.SO_TYPE, (value) => {
    value.writeInt32LE(2);
    return 0;
  });
  const [finding, ...more] = checkPlatform(datagram);
  assert.deepEqual([finding?.isFatal, more], [true, []]);
  assert.match(finding?.what ?? "", /the numbers of socket\(7\) are others on/);
  const none: Libc = { ...libc(), socket: () => -1, errno: () => 24 };
  assert.deepEqual(checkPlatform(none), [{ isFatal: true, what: "a TCP socket cannot be made: EMFILE" }]);
});

test("a Node without what Hawser takes from it is named", onLinux, (t) => {
  // As if streams gathered no writes: what TLS sockets inherit is hidden from them.
  const chain = Object.getPrototypeOf(TLSSocket.prototype) as object;
  Object.setPrototypeOf(TLSSocket.prototype, null);
  t.after(() => Object.setPrototypeOf(TLSSocket.prototype, chain));
  const [finding] = checkPlatform();
  assert.equal(finding?.isFatal, true);
  assert.match(finding?.what ?? "", /^in Node v\S+ writes to TLS cannot be kept apart .*: use Node 24$/);
});
