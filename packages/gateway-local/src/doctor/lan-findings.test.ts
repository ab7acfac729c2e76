import assert from "node:assert/strict";
import { test } from "node:test";
import type { CaptureConfig } from "../config.ts";
import type { LanDeviceFacts } from "./facts.ts";
import { conntrackFindings, ipv6LeakFindings, lanFindings } from "./lan-findings.ts";
import { path, said } from "./testing.ts";

const capture = (hosts: readonly string[] = ["0.0.0.0", "::"]): CaptureConfig =>
  ({
    listen: hosts.map((host) => ({ host, port: 12_345 })),
    from: ["lan0"],
    rules: true,
    bypass: [],
  }) as unknown as CaptureConfig;
const device = (change: Partial<LanDeviceFacts> = {}): LanDeviceFacts => ({
  name: "lan0",
  exists: true,
  master: undefined,
  prefixes: ["192.168.1.1/24", "2001:db8:7::1/64"],
  forwards: { ipv4: true, ipv6: true },
  ...change,
});
const PATHS = [path("adsl1", { interface: "wan0" }), path("vlan", { interface: "eth0.7" })];

for (const [what, change, found] of [
  ["is well", {}, ["ok capture: interface lan0: is there"]],
  [
    "is not there",
    { name: "lan9", exists: false },
    [
      "bad capture: interface lan9: does not exist: nothing that comes in over it is captured -> `ip -br link` lists the interfaces; name the LAN's in capture.from",
    ],
  ],
  [
    "is a line",
    { name: "wan0" },
    [
      "bad capture: interface wan0: is path adsl1's: connections from the Internet are captured, and those of the LAN are not -> name the LAN's interface in capture.from; `ip -br address` lists them",
    ],
  ],
  [
    "is a port of a bridge",
    { master: "br-lan" },
    [
      'bad capture: interface lan0: is a part of br-lan: its packets come in over br-lan, and are not captured -> name "br-lan" in capture.from instead',
    ],
  ],
  [
    "does not forward IPv4",
    { forwards: { ipv4: false, ipv6: true } },
    [
      "ok capture: interface lan0: is there",
      "bad forwarding: IPv4: is off for lan0: UDP, DNS and ping of the LAN do not get out -> `sysctl -w net.ipv4.ip_forward=1`, and for good in /etc/sysctl.d",
    ],
  ],
  [
    "does not forward IPv6",
    { forwards: { ipv4: true, ipv6: false } },
    [
      "ok capture: interface lan0: is there",
      "bad forwarding: IPv6: is off, and lan0 has global IPv6: UDP and ping of the LAN do not get out by IPv6 -> `sysctl -w net.ipv6.conf.wan0.accept_ra=2 net.ipv6.conf.eth0/7.accept_ra=2 net.ipv6.conf.all.forwarding=1`, and for good in /etc/sysctl.d",
    ],
  ],
  [
    "has no global IPv6 to forward",
    { forwards: { ipv4: true, ipv6: false }, prefixes: ["192.168.1.1/24", "fe80::1/64"] },
    ["ok capture: interface lan0: is there"],
  ],
] as const) {
  test(`an interface of the LAN that ${what}`, () => {
    assert.deepEqual(said(lanFindings(capture(), PATHS, [device(change)]), "mend"), found);
  });
}

test("global IPv6 that is not captured goes past the session", () => {
  assert.deepEqual(ipv6LeakFindings(capture(), [device()]), []);
  assert.deepEqual(said(ipv6LeakFindings(capture(["0.0.0.0"]), [device()]), "mend"), [
    'bad IPv6: lan0 has global IPv6, which is not captured and goes out past the session -> add "[::]:12345" to capture.listen',
  ]);
  assert.equal(
    ipv6LeakFindings(capture(["0.0.0.0"]), [device({ prefixes: ["fd00::1/64"] })])[0]?.level,
    "ok",
  );
});

for (const [facts, found] of [
  [undefined, []],
  [{ max: 65_536, count: 100 }, ["ok connection tracking: has room for 65536 connections, 100 are in use"]],
  [
    { max: 8_192, count: 100 },
    [
      "note connection tracking: has room for 8192 connections, fewer than the 16384 flows that Hawser can carry -> `sysctl -w net.netfilter.nf_conntrack_max=32768`, and for good in /etc/sysctl.d",
    ],
  ],
  [
    { max: 65_536, count: 60_000 },
    [
      "note connection tracking: has 60000 of 65536 entries in use -> `sysctl -w net.netfilter.nf_conntrack_max=131072`, and for good in /etc/sysctl.d",
    ],
  ],
  [
    { max: 4_096, count: 4_096 },
    [
      "bad connection tracking: is full (4096 of 4096 entries): new connections of the LAN are dropped -> `sysctl -w net.netfilter.nf_conntrack_max=32768`, and for good in /etc/sysctl.d",
    ],
  ],
] as const) {
  test(`connection tracking: ${JSON.stringify(facts)}`, () => {
    assert.deepEqual(said(conntrackFindings(facts), "mend"), found);
  });
}
