import assert from "node:assert/strict";
import { test } from "node:test";
import { iptablesInput } from "./iptables-input.ts";
import { nftInputs } from "./nft-input.ts";
import { type Fate, packetFate } from "./packet-fate.ts";
import type { RedirectedPacket } from "./redirected-packet.ts";

const PACKET: RedirectedPacket = {
  family: "ipv4",
  inInterface: "lan0",
  port: 12_345,
  prefixes: ["192.168.77.1/24"],
};
const V6: RedirectedPacket = { ...PACKET, family: "ipv6", prefixes: ["2001:db8:77::1/64", "fe80::1/64"] };

/** The fate in words: `passes`, `unknown`, or the rule that drops. */
function said(fate: Fate): string {
  return fate.fate === "drops" ? fate.by : fate.fate;
}

function iptables(rules: readonly string[], policy = "DROP", packet = PACKET): string {
  const chains = [...new Set(rules.map((rule) => rule.split(" ")[1]))].filter((chain) => chain !== "INPUT");
  const text = [
    "*nat",
    ":INPUT ACCEPT [0:0]",
    "COMMIT",
    "*filter",
    `:INPUT ${policy} [5:300]`,
    ...chains.map((chain) => `:${chain} - [0:0]`),
    ...rules,
    "COMMIT",
  ];
  const input = iptablesInput(text.join("\n"), packet);
  return input ? said(packetFate(input)) : "none";
}

const ROUTER = [
  "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
  "-A INPUT -i lo -j ACCEPT",
  "-A INPUT -p icmp -j ACCEPT",
  "-A INPUT -i lan0 -p tcp -m tcp --dport 22 -j ACCEPT",
];
const POLICY = "its policy, drop";

for (const [what, rules, policy, fate] of [
  ["an empty chain", [], "ACCEPT", "passes"],
  ["a default-deny router", ROUTER, "DROP", POLICY],
  ["the same by a last rule", [...ROUTER, "-A INPUT -j REJECT"], "ACCEPT", "-A INPUT -j REJECT"],
  [
    "its rule for the capture port",
    [...ROUTER, "-A INPUT -p tcp -m tcp --dport 12345 -j ACCEPT"],
    "DROP",
    "passes",
  ],
  [
    "a list of ports with it",
    ["-A INPUT -p tcp -m multiport --dports 22,12000:13000 -j ACCEPT"],
    "DROP",
    "passes",
  ],
  ["a list without it", ["-A INPUT -p tcp -m multiport --dports 22,80 -j ACCEPT"], "DROP", POLICY],
  ["what was redirected", ["-A INPUT -m conntrack --ctstate DNAT -j ACCEPT"], "DROP", "passes"],
  ["everything of the LAN", ["-A INPUT -i lan+ -j ACCEPT"], "DROP", "passes"],
  ["everything of the LAN's addresses", ["-A INPUT -s 192.168.0.0/16 -j ACCEPT"], "DROP", "passes"],
  ["one device of the LAN", ["-A INPUT -s 192.168.77.9/32 -j ACCEPT"], "DROP", "unknown"],
  [
    "another network",
    ["-A INPUT -s 10.0.0.0/8 -j ACCEPT", "-A INPUT -s 10.1.1.1/32 -j ACCEPT"],
    "DROP",
    POLICY,
  ],
  ["to the router itself", ["-A INPUT -d 192.168.77.1/32 -p tcp -j ACCEPT"], "DROP", "passes"],
  ["not from the line", ["-A INPUT ! -i wan0 -j ACCEPT"], "DROP", "passes"],
  ["a limit", ["-A INPUT -p tcp -m limit --limit 5/sec -j ACCEPT"], "DROP", "unknown"],
  ["a set that nobody knows", ["-A INPUT -m set --match-set good src -j ACCEPT"], "DROP", "unknown"],
  [
    "a comment like an option",
    ['-A INPUT -p udp -m comment --comment "-j ACCEPT -p tcp" -j ACCEPT'],
    "DROP",
    POLICY,
  ],
  [
    "only the first packet",
    ["-A INPUT -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j DROP"],
    "ACCEPT",
    "-A INPUT -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j DROP",
  ],
  [
    "all but the first packet",
    ["-A INPUT -p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN -j DROP"],
    "ACCEPT",
    "passes",
  ],
  [
    "a log, then a queue",
    ["-A INPUT -j LOG --log-prefix x", "-A INPUT -j NFQUEUE --queue-num 0"],
    "DROP",
    "unknown",
  ],
  [
    "chains of its own",
    [
      "-A INPUT -j before",
      "-A before -p udp -j ACCEPT",
      "-A before -j user",
      "-A user -i wan0 -j RETURN",
      "-A user -p tcp -m tcp --dport 12345 -j ACCEPT",
    ],
    "DROP",
    "passes",
  ],
  [
    "chains that come to nothing",
    ["-A INPUT -j before", "-A before -j user", "-A user -i lan0 -j RETURN", "-A user -j ACCEPT"],
    "DROP",
    POLICY,
  ],
  [
    "a chain that may be taken",
    ["-A INPUT -m recent --rcheck -j good", "-A good -j ACCEPT"],
    "DROP",
    "unknown",
  ],
  [
    "Hawser's own chain",
    [
      '-A INPUT -p tcp -m comment --comment "managed-by:HAWSER" -j HAWSER',
      "-A HAWSER -p tcp -m tcp --dport 12345 -m conntrack --ctstate DNAT -j ACCEPT",
    ],
    "DROP",
    "passes",
  ],
] as const) {
  test(`iptables: ${what}`, () => assert.equal(iptables(rules, policy), fate));
}

test("iptables: IPv6 by its own addresses; without a filter table nothing drops", () => {
  assert.equal(
    iptables(["-A INPUT -s fe80::/10 -j ACCEPT", "-A INPUT -s 2001:db8::/32 -j ACCEPT"], "DROP", V6),
    "unknown",
  );
  assert.equal(iptables(["-A INPUT -s 2001:db8:9::/48 -j ACCEPT"], "DROP", V6), POLICY);
  assert.equal(iptablesInput("*nat\n:INPUT ACCEPT [0:0]\nCOMMIT\n", PACKET), undefined);
});

const match = (left: unknown, right: unknown, op = "==") => ({ match: { op, left, right } });
const iifname = { meta: { key: "iifname" } };
const dport = { payload: { protocol: "tcp", field: "dport" } };
const state = { ct: { key: "state" } };
const accept = { accept: null };
const drop = { drop: null };

/** The fate in table `inet fw`, which has a chain `input` that drops at its end and a chain `other`. */
function nft(rules: readonly unknown[][], other: readonly unknown[][] = [], packet = PACKET): string {
  const place = { family: "inet", table: "fw" };
  const listing = {
    nftables: [
      { metainfo: {} },
      { table: { family: "inet", name: "fw" } },
      { set: { ...place, name: "ports", elem: [22, 12_345] } },
      { chain: { ...place, name: "other" } },
      { chain: { ...place, name: "input", type: "filter", hook: "input", prio: 0, policy: "drop" } },
      { chain: { ...place, name: "forward", type: "filter", hook: "forward", prio: 0, policy: "drop" } },
      ...other.map((expr) => ({ rule: { ...place, chain: "other", handle: 7, expr } })),
      ...rules.map((expr, i) => ({ rule: { ...place, chain: "input", handle: i + 10, expr } })),
    ],
  };
  const inputs = nftInputs(JSON.stringify(listing), packet);
  assert.deepEqual(
    inputs.map(({ name }) => name),
    ["inet fw input"],
  );
  return inputs.map(({ chains }) => said(packetFate(chains))).join();
}

for (const [what, rules, fate] of [
  ["nothing but its policy", [], POLICY],
  [
    "established, and the loopback",
    [
      [
        {
          vmap: {
            key: state,
            data: {
              set: [
                ["established", accept],
                ["invalid", drop],
              ],
            },
          },
        },
      ],
      [match(state, ["established", "related"], "in"), accept],
      [match({ meta: { key: "iif" } }, "lo"), accept],
    ],
    POLICY,
  ],
  ["what is new", [[match(state, "new", "in"), accept]], "passes"],
  ["what was redirected", [[match({ ct: { key: "status" } }, "dnat", "in"), accept]], "passes"],
  [
    "the port in a set",
    [[match(dport, { set: [22, { range: [12_000, 13_000] }] }), { counter: {} }, accept]],
    "passes",
  ],
  ["the port in a named set", [[match(dport, "@ports"), accept]], "passes"],
  ["other ports", [[match(dport, { set: [22, { range: [80, 90] }] }), accept]], POLICY],
  ["the LAN by a wildcard", [[match(iifname, "lan*"), accept]], "passes"],
  [
    "the LAN's addresses",
    [
      [
        match({ payload: { protocol: "ip", field: "saddr" } }, { prefix: { addr: "192.168.0.0", len: 16 } }),
        accept,
      ],
    ],
    "passes",
  ],
  ["UDP", [[match({ payload: { protocol: "udp", field: "dport" } }, 12_345), accept]], POLICY],
  [
    "a reject for all but the line",
    [[match(iifname, "wan0", "!="), { log: {} }, { reject: {} }]],
    "rule 10 of input",
  ],
  ["a limit", [[{ limit: { rate: 10 } }, accept]], "unknown"],
  ["a mark", [[match({ ct: { key: "mark" } }, 1), accept]], "unknown"],
  [
    "a jump by the interface",
    [[{ vmap: { key: iifname, data: { set: [["lan0", { jump: { target: "other" } }]] } } }]],
    "rule 7 of other",
  ],
  ["the family", [[match({ meta: { key: "nfproto" } }, "ipv6"), accept]], POLICY],
  [
    "this machine's addresses",
    [[match({ fib: { result: "type", flags: ["daddr"] } }, "local"), accept]],
    "passes",
  ],
] as const) {
  test(`nft: ${what}`, () =>
    assert.equal(nft(rules as unknown as unknown[][], [[match(dport, 80, "!="), drop]]), fate));
}

test("nft: what iptables-nft keeps there is left to iptables-save, and other families are not gone through", () => {
  const chain = (family: string, table: string) => ({
    chain: { family, table, name: "INPUT", type: "filter", hook: "input", policy: "drop" },
  });
  const listing = JSON.stringify({
    nftables: [chain("ip", "filter"), chain("ip6", "filter"), chain("ip", "own"), chain("bridge", "own")],
  });
  const names = (packet: RedirectedPacket, isIptables?: (table: string) => boolean): string[] =>
    nftInputs(listing, packet, isIptables).map(({ name }) => name);
  assert.deepEqual(
    names(PACKET, (table) => table === "filter"),
    ["ip own INPUT"],
  );
  assert.deepEqual(names(PACKET), ["ip filter INPUT", "ip own INPUT"]);
  assert.deepEqual(names(V6), ["ip6 filter INPUT"]);
});
