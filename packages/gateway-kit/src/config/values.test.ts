import assert from "node:assert/strict";
import { test } from "node:test";
import type { Parsed } from "@hawser/shared-protocol";
import { formatCidr, parseCidr } from "./cidr.ts";
import { parseInterface } from "./interface-name.ts";
import { nearest } from "./nearest.ts";
import { parseSize } from "./size.ts";

function problemOf(result: Parsed<unknown>): string {
  return result.ok ? "" : result.problem;
}

test("address ranges", () => {
  const golden: [string, string][] = [
    ["192.168.0.0/16", "192.168.0.0/16"],
    ["10.0.0.1", "10.0.0.1/32"],
    ["0.0.0.0/0", "0.0.0.0/0"],
    ["2001:db8::/32", "2001:db8::/32"],
    ["::1", "::1/128"],
  ];
  for (const [text, canonical] of golden) {
    const result = parseCidr(text);
    assert.ok(result.ok, text);
    assert.equal(formatCidr(result.value), canonical);
    assert.equal(result.value.family, text.includes(":") ? 6 : 4);
  }
  assert.equal(
    problemOf(parseCidr("10.0.0.0/33")),
    '"10.0.0.0/33": the prefix of an IPv4 range is a number from 0 to 32',
  );
  assert.equal(
    problemOf(parseCidr("::/129")),
    '"::/129": the prefix of an IPv6 range is a number from 0 to 128',
  );
  for (const text of [
    "",
    "10.0.0",
    "10.0.0.0/",
    "10.0.0.0/8/8",
    "10.0.0.0/-1",
    "fe80::1%eth0/64",
    "example",
  ]) {
    assert.ok(!parseCidr(text).ok, text);
  }
});

test("names of interfaces", () => {
  for (const name of ["ppp0", "br-lan", "eth0.10", "wan@2", "wlan0_1", "enx001122334455"]) {
    assert.ok(parseInterface(name).ok, name);
  }
  for (const name of [
    "",
    ".",
    "..",
    "br+",
    "-i",
    "eth 0",
    "eth/0",
    "eth:0",
    "sixteencharacter",
    "a;b",
    "a\n",
  ]) {
    assert.ok(!parseInterface(name).ok, name);
  }
});

test("sizes", () => {
  assert.deepEqual(parseSize("256MiB"), { ok: true, value: 268_435_456 });
  assert.deepEqual(parseSize("1.5 GiB"), { ok: true, value: 1_610_612_736 });
  assert.deepEqual(parseSize("300MB"), { ok: true, value: 300_000_000 });
  for (const text of ["", "256", "256 mib", "MiB", "-1MiB", "1e3MiB", "1 constructor"])
    assert.ok(!parseSize(text).ok, text);
});

test("the nearest name", () => {
  const keys = ["name", "interface", "source", "subflows", "role"];
  assert.equal(nearest("interfaec", keys), "interface");
  assert.equal(nearest("iface", keys), undefined);
  assert.equal(nearest("Role", keys), "role");
  assert.equal(nearest("sub_flows", keys), "subflows");
  assert.equal(nearest("zzz", keys), undefined);
});
