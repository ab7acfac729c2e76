import assert from "node:assert/strict";
import { isIPv4, isIPv6 } from "node:net";
import { test } from "node:test";
import { formatIpv6, parseIpv4, parseIpv6 } from "./ip-text.ts";

function groups(...values: number[]): Uint8Array {
  return Uint8Array.from(values.flatMap((value) => [value >> 8, value & 0xff]));
}

test("IPv6 is written as RFC 5952 asks", () => {
  const cases: [Uint8Array, string][] = [
    [groups(0, 0, 0, 0, 0, 0, 0, 0), "::"],
    [groups(0, 0, 0, 0, 0, 0, 0, 1), "::1"],
    [groups(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), "2001:db8::"],
    [groups(0x2001, 0xdb8, 0, 1, 1, 1, 1, 1), "2001:db8:0:1:1:1:1:1"],
    [groups(0x2001, 0, 0, 1, 0, 0, 0, 1), "2001:0:0:1::1"],
    [groups(0x2001, 0xdb8, 0, 0, 1, 0, 0, 1), "2001:db8::1:0:0:1"],
    [groups(0xfe80, 0, 0, 0, 0xa, 0xbc, 0xdef, 0xffff), "fe80::a:bc:def:ffff"],
    [groups(0, 0, 0, 0, 0, 0xffff, 0xc000, 0x0201), "::ffff:192.0.2.1"],
  ];
  for (const [bytes, text] of cases) {
    assert.equal(formatIpv6(bytes), text);
    assert.deepEqual(parseIpv6(text), bytes);
  }
});

test("other spellings of IPv6 are read", () => {
  assert.deepEqual(parseIpv6("2001:DB8:0:0:0:0:0:1"), parseIpv6("2001:db8::1"));
  assert.deepEqual(parseIpv6("64:ff9b::192.0.2.33"), groups(0x64, 0xff9b, 0, 0, 0, 0, 0xc000, 0x0221));
  assert.deepEqual(parseIpv6("fe80::1%ppp0"), parseIpv6("fe80::1"));
});

test("what node:net refuses is refused, what it accepts is accepted", () => {
  const v4 = ["1.2.3.4", "01.2.3.4", "256.1.1.1", "1.2.3", "1.2.3.4.5", "", "1.2.3.4 ", "1..2.3", "0.0.0.0"];
  for (const text of v4) assert.equal(parseIpv4(text) !== undefined, isIPv4(text), text);
  const good =
    ":: ::1 1:: 1:2:3:4:5:6:7:8 1:2:3:4:5:6:7:: ::2:3:4:5:6:7:8 1:2:3:4:5:6:1.2.3.4 ::ffff:1.2.3.4";
  const short = ": ::: 1::2::3 1:2:3:4:5:6:7 1:2:3:4:5:6:7:8:9 1:2:3:4::5:6:7:8 :1::2 1::2:";
  const odd = "12345:: g:: 1.2.3.4 1.2.3.4:: ::1.2.3.4:1 ::1.2.3 1:2:3:4:5:6:7:1.2.3.4";
  const v6 = [good, short, odd].join(" ").split(" ").concat("");
  for (const text of v6) assert.equal(parseIpv6(text) !== undefined, isIPv6(text), text);
});
