import assert from "node:assert/strict";
import { test } from "node:test";
import { renderRestore } from "./render.ts";
import { sampleRules } from "./sample-rules.ts";
import type { Rule, RuleSet } from "./types.ts";

test("the redirecting rule set for IPv4, in full", () => {
  assert.equal(
    renderRestore(sampleRules({ from: ["br-lan", "wlan+"] }), "ipv4"),
    `*nat
:HAWSER-test - [0:0]
-A HAWSER-test -m addrtype --dst-type LOCAL -j RETURN
-A HAWSER-test -d 10.0.0.0/8 -j RETURN
-A HAWSER-test -d 172.16.0.0/12 -j RETURN
-A HAWSER-test -d 192.168.0.0/16 -j RETURN
-A HAWSER-test -d 198.51.100.0/24 -j RETURN
-A HAWSER-test -d 203.0.113.9/32 -m comment --comment "the remote gateway" -j RETURN
-A HAWSER-test -p tcp -j REDIRECT --to-ports 12345
-I PREROUTING 1 -i br-lan -p tcp -m comment --comment "managed-by:HAWSER-test" -j HAWSER-test
-I PREROUTING 2 -i wlan+ -p tcp -m comment --comment "managed-by:HAWSER-test" -j HAWSER-test
COMMIT
`,
  );
});

test("the redirecting rule set for IPv6, in full", () => {
  assert.equal(
    renderRestore(sampleRules(), "ipv6"),
    `*nat
:HAWSER-test - [0:0]
-A HAWSER-test -m addrtype --dst-type LOCAL -j RETURN
-A HAWSER-test -d fc00::/7 -j RETURN
-A HAWSER-test -d fe80::/10 -j RETURN
-A HAWSER-test -d 2001:db8::9/128 -m comment --comment "the remote gateway" -j RETURN
-A HAWSER-test -p tcp -j REDIRECT --to-ports 12345
-I PREROUTING 1 -i br-lan -p tcp -m comment --comment "managed-by:HAWSER-test" -j HAWSER-test
COMMIT
`,
  );
});

/** Every match and target once. */
const everyRule: Rule[] = [
  { source: "192.0.2.77/24", destination: "0.0.0.0/0", target: "ACCEPT" },
  { inInterface: "ppp0", outInterface: "eth0.2", protocol: "udp", destinationPort: 53, target: "DROP" },
  {
    protocol: "tcp",
    destinationPort: { from: 8000, to: 8080 },
    mark: { value: 0x10, mask: 0xff },
    target: "RETURN",
  },
  { mark: { value: 0xffffffff }, target: { jump: "OWN.b" } },
  { protocol: "icmp", target: { rejectWith: "icmp-host-prohibited" } },
  { protocol: "tcp", comment: "it's 100% | ok", target: { rejectWith: "tcp-reset" } },
  { protocol: "tcp", destinationPort: 12345, connectionState: "DNAT", target: "ACCEPT" },
  { protocol: "tcp", destinationPort: 80, syn: true, destinationSet: "OWN.refused", target: "DROP" },
];

test("every match and target, several tables, jumps first and last", () => {
  const ruleSet: RuleSet = {
    owner: "OWN",
    ipv4: [
      {
        table: "filter",
        chains: [
          { name: "OWN", rules: everyRule },
          { name: "OWN.b", rules: [] },
        ],
        jumps: [
          { from: "FORWARD", to: "OWN", position: "last" },
          { from: "INPUT", to: "OWN.b", destinationType: "BROADCAST" },
          { from: "FORWARD", to: "OWN", source: "192.0.2.1" },
        ],
      },
      { table: "nat", chains: [{ name: "OWN", rules: [{ target: "MASQUERADE" }] }], jumps: [] },
    ],
  };
  assert.equal(
    renderRestore(ruleSet, "ipv4"),
    `*filter
:OWN - [0:0]
:OWN.b - [0:0]
-A OWN -s 192.0.2.0/24 -j ACCEPT
-A OWN -i ppp0 -o eth0.2 -p udp -m udp --dport 53 -j DROP
-A OWN -p tcp -m tcp --dport 8000:8080 -m mark --mark 0x10/0xff -j RETURN
-A OWN -m mark --mark 0xffffffff -j OWN.b
-A OWN -p icmp -j REJECT --reject-with icmp-host-prohibited
-A OWN -p tcp -m comment --comment "it's 100% | ok" -j REJECT --reject-with tcp-reset
-A OWN -p tcp -m tcp --dport 12345 -m conntrack --ctstate DNAT -j ACCEPT
-A OWN -p tcp -m tcp --dport 80 --tcp-flags FIN,SYN,RST,ACK SYN -m set --match-set OWN.refused dst,dst -j DROP
-I INPUT 1 -m addrtype --dst-type BROADCAST -m comment --comment "managed-by:OWN" -j OWN.b
-I FORWARD 1 -s 192.0.2.1/32 -m comment --comment "managed-by:OWN" -j OWN
-A FORWARD -m comment --comment "managed-by:OWN" -j OWN
COMMIT
*nat
:OWN - [0:0]
-A OWN -j MASQUERADE
COMMIT
`,
  );
  assert.equal(renderRestore(ruleSet, "ipv6"), "");
});

test("icmp means ICMPv6 in the ipv6 family", () => {
  const rules: Rule[] = [{ protocol: "icmp", target: { rejectWith: "icmp6-adm-prohibited" } }];
  const text = renderRestore(
    { owner: "OWN", ipv6: [{ table: "filter", chains: [{ name: "OWN", rules }], jumps: [] }] },
    "ipv6",
  );
  assert.match(text, /^-A OWN -p ipv6-icmp -j REJECT --reject-with icmp6-adm-prohibited$/m);
});
