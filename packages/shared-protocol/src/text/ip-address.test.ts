import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { canonicalIp, formatIp, parseIp } from "./ip-address.ts";

test("IPv6 text is that of RFC 5952", () => {
  const cases: [string, string][] = [
    ["2001:0DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
    ["0:0:0:0:0:0:0:0", "::"],
    ["0:0:0:0:0:0:0:1", "::1"],
    ["1:0:0:0:0:0:0:0", "1::"],
    ["fe80::1%eth0", "fe80::1"],
    ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["::ffff:c000:201", "192.0.2.1"],
    ["0:0:0:0:0:FFFF:C000:0201", "192.0.2.1"],
    ["::192.0.2.1", "::c000:201"],
    ["::ffff:0:127.0.0.1", "::ffff:0:7f00:1"],
    ["192.0.2.1", "192.0.2.1"],
    ["example.org", "example.org"],
  ];
  for (const [text, canonical] of cases) assert.equal(canonicalIp(text), canonical, text);
});

test("bytes and text of addresses are each other's inverse", () => {
  let seed = 1;
  const next = (): number => {
    seed = (seed * 1103515245 + 12345) & 0x7fffffff;
    return seed >> 16;
  };
  for (let round = 0; round < 500; round++) {
    // Many zero bytes, so that runs of all lengths come up.
    const bytes = Buffer.from(Array.from({ length: 16 }, () => (next() % 3 === 0 ? next() & 0xff : 0)));
    assert.deepEqual(parseIp(formatIp(bytes)), bytes, inspect(bytes));
    const four = bytes.subarray(0, 4);
    assert.deepEqual(parseIp(formatIp(four)), Buffer.from(four));
  }
  assert.equal(parseIp("1.2.3"), undefined);
  assert.equal(parseIp("1::2::3"), undefined);
});
