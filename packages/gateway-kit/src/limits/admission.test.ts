import assert from "node:assert/strict";
import { test } from "node:test";
import { Admission, siteOf, sourceOf } from "./admission.ts";

/** An admission of numbers, and those that it dropped, in order. */
function admission(
  total: number,
  perSource: number,
  perSite = total,
): { admission: Admission<number>; dropped: number[] } {
  const dropped: number[] = [];
  return {
    admission: new Admission({ total, perSource, perSite }, (connection) => dropped.push(connection)),
    dropped,
  };
}

test("a source that has too many loses its oldest, and no other loses one", () => {
  const { admission: door, dropped } = admission(100, 3);
  door.enter(100, "192.0.2.2");
  for (let i = 0; i < 10; i++) door.enter(i, "192.0.2.1");
  assert.deepEqual(dropped, [0, 1, 2, 3, 4, 5, 6]);
  assert.equal(door.size, 4);
});

test("too many of all: the source with most loses its oldest, not whoever has been there longest", () => {
  const { admission: door, dropped } = admission(5, 4);
  door.enter(100, "192.0.2.9");
  for (let i = 0; i < 4; i++) door.enter(i, "192.0.2.1");
  for (let i = 10; i < 13; i++) door.enter(i, "192.0.2.2");
  assert.deepEqual(dropped, [0, 1, 2]);
});

test("sources with one each: the oldest goes", () => {
  const { admission: door, dropped } = admission(3, 2);
  for (let i = 0; i < 6; i++) door.enter(i, `192.0.2.${i}`);
  assert.deepEqual(dropped, [0, 1, 2]);
});

test("a flood from all networks of one IPv6 site displaces itself alone", () => {
  const { admission: door, dropped } = admission(1_000, 64, 32);
  door.enter(-1, "2001:db8:aaaa::1");
  door.enter(-2, "192.0.2.1");
  for (let i = 0; i < 5_000; i++) door.enter(i, `2001:db8:bbbb:${i.toString(16)}::1`);
  assert.equal(door.size, 34);
  assert.deepEqual(
    dropped,
    Array.from({ length: 5_000 - 32 }, (_, i) => i),
  );
});

test("too many of all: a site's networks count together", () => {
  const { admission: door, dropped } = admission(6, 4, 6);
  for (let i = 0; i < 3; i++) door.enter(100 + i, "192.0.2.1");
  for (let i = 0; i < 4; i++) door.enter(i, `2001:db8:bbbb:${i}::1`);
  door.enter(4, "2001:db8:bbbb:4::1");
  assert.deepEqual(dropped, [100, 0]);
});

test("who has left makes room, is not dropped, and may leave twice", () => {
  const { admission: door, dropped } = admission(2, 2);
  door.enter(1, "192.0.2.1");
  door.enter(2, "192.0.2.1");
  door.leave(1);
  door.leave(1);
  door.enter(3, "192.0.2.1");
  assert.deepEqual([door.size, dropped], [2, []]);
  door.enter(4, "192.0.2.1");
  assert.deepEqual(dropped, [2]);
});

test("a flood from everywhere leaves nothing behind", () => {
  const { admission: door, dropped } = admission(64, 8);
  for (let i = 0; i < 10_000; i++) door.enter(i, `2001:db8:${(i % 97).toString(16)}::${i.toString(16)}`);
  assert.equal(door.size, 64);
  assert.equal(dropped.length, 10_000 - 64);
  for (let i = 0; i < 10_000; i++) door.leave(i);
  assert.equal(door.size, 0);
});

for (const [what, one, other, isSame] of [
  ["one IPv4 address", "192.0.2.1", "192.0.2.1", true],
  ["two IPv4 addresses", "192.0.2.1", "192.0.2.2", false],
  ["an IPv4 address and its mapped form", "192.0.2.1", "::ffff:192.0.2.1", true],
  ["two mapped addresses", "::ffff:192.0.2.1", "::ffff:192.0.2.2", false],
  ["two addresses of a /64", "2001:db8:0:1::1", "2001:db8:0:1:ffff:ffff:ffff:ffff", true],
  ["two addresses of two /64s", "2001:db8:0:1::1", "2001:db8:0:2::1", false],
  ["a link-local address on two links", "fe80::1%eth0", "fe80::1%eth1", true],
  ["sockets that are gone already", undefined, undefined, true],
] as const) {
  test(`${what}: ${isSame ? "one source" : "two sources"}`, () => {
    assert.equal(sourceOf(one) === sourceOf(other), isSame);
  });
}

for (const [what, one, other, isSame] of [
  ["two IPv4 addresses", "192.0.2.1", "192.0.2.2", false],
  ["two networks of a /48", "2001:db8:0:1::1", "2001:db8:0:ffff::1", true],
  ["two /48s", "2001:db8:0:1::1", "2001:db8:1:1::1", false],
] as const) {
  test(`${what}: ${isSame ? "one site" : "two sites"}`, () => {
    assert.equal(siteOf(one) === siteOf(other), isSame);
  });
}
