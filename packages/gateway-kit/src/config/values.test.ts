import assert from "node:assert/strict";
import { test } from "node:test";
import type { Parsed } from "@hawser/shared-protocol";
import {
  formatEndpoint,
  isWildcardHost,
  parseEndpoint,
  parseListenEndpoint,
  parseName,
} from "@hawser/shared-protocol";
import { formatCidr, parseCidr } from "./cidr.ts";
import { parseInterface } from "./interface-name.ts";
import { nearest } from "./nearest.ts";
import { parseSize } from "./size.ts";

function problemOf(result: Parsed<unknown>): string {
  return result.ok ? "" : result.problem;
}

test("endpoints", () => {
  const golden: [string, { host: string; port: number }][] = [
    ["192.0.2.1:80", { host: "192.0.2.1", port: 80 }],
    ["[2001:db8::1]:65535", { host: "2001:db8::1", port: 65535 }],
    ["vps.example:4433", { host: "vps.example", port: 4433 }],
    ["localhost:1", { host: "localhost", port: 1 }],
  ];
  for (const [text, value] of golden) {
    assert.deepEqual(parseEndpoint(text), { ok: true, value });
    assert.equal(formatEndpoint(value), text);
  }
});

test("what is wrong with an endpoint", () => {
  const golden: [string, string][] = [
    ["192.0.2.1", '"192.0.2.1" has no port; write "192.0.2.1:PORT"'],
    ["::1", '"::1" has no port; write "[::1]:PORT"'],
    ["[::1]", '"[::1]" has no port; write "[::1]:PORT"'],
    ["2001:db8::1:4433", '"2001:db8::1:4433" has no port; write "[2001:db8::1:4433]:PORT"'],
    [
      "1:2:3:4:5:6:7:8:99",
      '"1:2:3:4:5:6:7:8:99": write an IPv6 address in brackets, "[1:2:3:4:5:6:7:8]:PORT"',
    ],
    ["[192.0.2.1]:80", '"[192.0.2.1]:80": "192.0.2.1" is not an IPv6 address'],
    [":4433", '":4433" names no host; for every address write "0.0.0.0:4433" or "[::]:4433"'],
    ["*:4433", '"*:4433" names no host; for every address write "0.0.0.0:4433" or "[::]:4433"'],
    ["192.0.2.256:80", '"192.0.2.256:80": "192.0.2.256" is neither an IP address nor a domain name'],
    ["a b:80", '"a b:80": "a b" is neither an IP address nor a domain name'],
    ["vps.example:99999", '"vps.example:99999": port 99999 is above 65535'],
    ["vps.example:0", '"vps.example:0": port 0 cannot be reached; write a port from 1 to 65535'],
    ["vps.example:http", '"vps.example:http" is not HOST:PORT or [IPV6]:PORT'],
    ["", '"" is not HOST:PORT or [IPV6]:PORT'],
  ];
  for (const [text, problem] of golden) assert.equal(problemOf(parseEndpoint(text)), problem);
  assert.deepEqual(parseListenEndpoint("127.0.0.1:0"), { ok: true, value: { host: "127.0.0.1", port: 0 } });
});

test("wildcards", () => {
  for (const host of ["0.0.0.0", "::", "0:0:0:0:0:0:0:0"]) assert.ok(isWildcardHost(host), host);
  for (const host of ["127.0.0.1", "::1", "vps.example", "0.example"]) assert.ok(!isWildcardHost(host), host);
});

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

test("names of interfaces and of peers", () => {
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
  for (const name of ["home", "A-1.b_c", "x".repeat(64)]) assert.ok(parseName(name).ok, name);
  for (const name of ["", "a b", "é", "a/b", "x".repeat(65), "a\n"]) assert.ok(!parseName(name).ok, name);
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
