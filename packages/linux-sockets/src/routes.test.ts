import assert from "node:assert/strict";
import { test } from "node:test";
import { formatIp } from "@hawser/shared-protocol";
import { NetlinkProtocol, NetlinkSocket } from "./netlink.ts";
import { attribute, LITTLE_ENDIAN } from "./netlink-attributes.ts";
import { parseRoute, type Route, readRoutes } from "./routes.ts";

const inLittleEndian = { skip: !LITTLE_ENDIAN && "the bytes are those of a little-endian machine" };
const NEWROUTE = 24;

/** `struct rtmsg` */
function route(
  header: {
    af?: number;
    prefix: number;
    from?: number;
    table?: number;
    by?: number;
    kind?: number;
    flags?: number;
  },
  ...attributes: Buffer[]
) {
  const { af = 2, prefix, from = 0, table = 254, by = 3, kind = 1, flags = 0 } = header;
  const body = Buffer.concat([
    Buffer.of(af, prefix, from, 0, table, by, 0, kind, flags & 255, flags >> 8, 0, 0),
    ...attributes,
  ]);
  return parseRoute({ type: NEWROUTE, body });
}

const to = (...bytes: number[]): Buffer => attribute(1, Buffer.of(...bytes));

test("routes byte by byte", inLittleEndian, () => {
  assert.deepEqual(route({ prefix: 24, by: 2 }, to(192, 0, 2, 0), attribute(4, 7)), {
    family: 4,
    address: Buffer.of(192, 0, 2, 0),
    prefix: 24,
    devices: [7],
    isConnected: true,
  });
  assert.deepEqual(route({ prefix: 0 }, attribute(4, 7))?.address, Buffer.alloc(4));
  const v6 = route(
    { af: 10, prefix: 32 },
    to(0x20, 0x01, 0x0d, 0xb8, ...Buffer.alloc(12)),
    attribute(15, 254),
  );
  assert.equal(v6 && formatIp(v6.address), "2001:db8::");
  const hop = (device: number, ...more: number[]): number[] => [
    8 + more.length,
    0,
    0,
    0,
    device,
    0,
    0,
    0,
    ...more,
  ];
  const hops = attribute(9, Buffer.from([...hop(4, 8, 0, 5, 0, 1, 2, 3, 4), ...hop(5)]));
  assert.deepEqual(route({ prefix: 24 }, to(192, 0, 2, 0), hops)?.devices, [4, 5]);
  for (const kind of [6, 7, 8]) assert.deepEqual(route({ prefix: 48, kind }, attribute(4, 1))?.devices, []);
});

test(
  "other tables, kinds, copies, and what is for some sources alone are no routes of interest",
  inLittleEndian,
  () => {
    assert.equal(route({ prefix: 24, table: 100 }), undefined);
    assert.equal(route({ prefix: 24, table: 252 }, attribute(15, 1_000)), undefined);
    for (const kind of [2, 3, 5, 9]) assert.equal(route({ prefix: 24, kind }), undefined);
    assert.equal(route({ prefix: 128, flags: 0x200 }), undefined);
    assert.equal(route({ af: 10, prefix: 0, from: 48 }), undefined);
    assert.equal(route({ af: 7, prefix: 0 }), undefined);
    assert.equal(parseRoute({ type: NEWROUTE, body: Buffer.alloc(11) }), undefined);
    assert.equal(parseRoute({ type: 3, body: Buffer.alloc(12) }), undefined);
  },
);

test("this machine's table is read", { skip: process.platform !== "linux" && "needs Linux" }, async () => {
  using socket = new NetlinkSocket({ protocol: NetlinkProtocol.route });
  for (const family of [4, 6] as const) {
    const routes: Route[] = [];
    await readRoutes(
      socket,
      family,
      (each) => routes.push(each),
      () => routes.splice(0),
    );
    for (const each of routes) {
      assert.equal(each.family, family);
      assert.ok(each.prefix <= (family === 4 ? 32 : 128));
    }
  }
});
