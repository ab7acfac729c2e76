import assert from "node:assert/strict";
import { test } from "node:test";
import type { Route } from "@hawser/linux-sockets";
import { parseIp } from "@hawser/shared-protocol";
import { MAX_OWN_PREFIXES, OwnPrefixes } from "./own-prefixes.ts";

/** Indices of interfaces: the LAN's, a tunnel's, and those of two lines. */
const [LAN, WG, ADSL1, ADSL2] = [2, 3, 4, 5] as const;

function route(text: string, devices: readonly number[], isConnected = false): Route {
  const [host = "", prefix = ""] = text.split("/");
  const address = parseIp(host) ?? Buffer.alloc(0);
  return { family: address.length === 4 ? 4 : 6, address, prefix: Number(prefix), devices, isConnected };
}

function found(routes: readonly Route[]) {
  const own = new OwnPrefixes(new Set([ADSL1, ADSL2]));
  for (const each of routes) own.add(each);
  return own.found;
}

const CASES: [why: string, routes: Route[], left: string[]][] = [
  [
    "the LAN's own global networks",
    [route("203.0.113.8/29", [LAN], true), route("2001:db8:77::/64", [LAN], true)],
    ["2001:db8:77::/64", "203.0.113.8/29"],
  ],
  ["behind a tunnel", [route("198.51.100.0/24", [WG])], ["198.51.100.0/24"]],
  ["no way: the kernel's answer is the right one", [route("2001:db8:77::/48", [])], ["2001:db8:77::/48"]],
  [
    "a line's own network, and what goes over one of several",
    [
      route("100.64.1.0/24", [ADSL1], true),
      route("192.0.2.0/24", [ADSL1, ADSL2]),
      route("192.0.2.0/25", [LAN, ADSL2]),
    ],
    [],
  ],
  [
    "defaults, also those of a VPN in halves",
    [
      route("0.0.0.0/0", [LAN]),
      route("::/0", []),
      route("0.0.0.0/1", [WG]),
      route("128.0.0.0/1", [WG]),
      route("2000::/3", [WG]),
    ],
    [],
  ],
  [
    "what is left alone anyway",
    [
      route("192.168.77.0/24", [LAN], true),
      route("fd00:77::/64", [LAN], true),
      route("fe80::/64", [LAN], true),
      route("ff00::/8", [LAN]),
    ],
    [],
  ],
  [
    "what lies in another of them",
    [
      route("203.0.113.8/29", [LAN], true),
      route("203.0.113.9/32", [LAN]),
      route("203.0.0.0/16", [WG]),
      route("203.0.113.10/32", [LAN]),
    ],
    ["203.0.0.0/16", "203.0.113.8/29"],
  ],
  [
    "bits at the end of a prefix count",
    [route("203.0.112.0/23", [LAN], true), route("203.0.113.0/24", [LAN]), route("203.0.114.0/24", [LAN])],
    ["203.0.112.0/23", "203.0.114.0/24"],
  ],
];

for (const [why, routes, left] of CASES) {
  test(`left alone: ${why}`, () => {
    const all = { prefixes: left, omitted: 0, routes: routes.length };
    assert.deepEqual(found(routes), all);
    assert.deepEqual(found(routes.toReversed()), all);
  });
}

// A comparison of every route with every other would take minutes.
test("of a full table a bounded number of prefixes is left alone, connected networks first; the omitted ones are counted", {
  timeout: 30_000,
}, () => {
  const many = Array.from({ length: 100_000 }, (_, i) =>
    route(`${32 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}.0/24`, [WG]),
  );
  const { prefixes, omitted } = found([...many, route("203.0.113.8/29", [LAN], true)]);
  assert.equal(prefixes.length, MAX_OWN_PREFIXES);
  assert.equal(omitted, 100_001 - MAX_OWN_PREFIXES);
  assert.ok(prefixes.includes("203.0.113.8/29"));
});
