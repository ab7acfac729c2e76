import assert from "node:assert/strict";
import { test } from "node:test";
import { formatEndpoint, isWildcardHost, parseEndpoint, parseListenEndpoint } from "./endpoint.ts";
import type { Parsed } from "./parsed.ts";

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
