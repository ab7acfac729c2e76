import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { canonicalIp, formatIpv4, formatIpv6, parseIp } from "@hawser/shared-protocol";
import { hasCapability, statusHasCapability } from "./capabilities.ts";
import { isOwnAddress, localAddresses } from "./interfaces.ts";
import { errnoName, SystemError } from "./system-error.ts";

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
    assert.deepEqual(parseIp(formatIpv6(bytes)), bytes, inspect(bytes));
    const four = bytes.subarray(0, 4);
    assert.deepEqual(parseIp(formatIpv4(four)), Buffer.from(four));
  }
  assert.equal(parseIp("1.2.3"), undefined);
  assert.equal(parseIp("1::2::3"), undefined);
});

test("own addresses are those of the interfaces, the loopback net and the unspecified ones", () => {
  for (const own of [
    "127.0.0.1",
    "127.8.9.1",
    "::1",
    "0:0:0:0:0:0:0:1",
    "::",
    "0.0.0.0",
    "::ffff:127.0.0.1",
  ]) {
    assert.equal(isOwnAddress(own), true, own);
  }
  for (const entry of localAddresses()) {
    assert.equal(isOwnAddress(entry.address), true, entry.address);
  }
  for (const foreign of ["198.51.100.77", "2001:db8::77", "example.org"])
    assert.equal(isOwnAddress(foreign), false);
});

test("capabilities are read from the effective set", () => {
  const status = "Name:\tnode\nCapPrm:\tffffffffffffffff\nCapEff:\t0000000000001400\n";
  assert.equal(statusHasCapability(status, "net_bind_service"), true);
  assert.equal(statusHasCapability(status, "net_admin"), true);
  assert.equal(statusHasCapability(status, "net_raw"), false);
  assert.equal(statusHasCapability("Name:\tnode\n", "net_admin"), false);
  assert.equal(typeof hasCapability("net_admin"), "boolean");
});

test("system errors carry the symbolic code", () => {
  assert.equal(errnoName(19), "ENODEV");
  assert.equal(errnoName(9999), "E9999");
  const error = new SystemError("ENODEV", 19, "setsockopt", "no interface");
  assert.equal(`${error}`, "SystemError: no interface (setsockopt: ENODEV)");
});
