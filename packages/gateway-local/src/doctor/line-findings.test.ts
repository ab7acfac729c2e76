import assert from "node:assert/strict";
import { test } from "node:test";
import { doubledLines, lineFindings, missingRoute, quotaFindings } from "./line-findings.ts";
import { line, path, said, target } from "./testing.ts";

for (const [what, paths, found] of [
  ["two interfaces", [{ interface: "wan0" }, { interface: "wan1" }], []],
  [
    "one interface twice",
    [{ interface: "wan0" }, { interface: "wan0" }],
    ["bad path p1: uses wan0, as path p0 does: it is the same line twice"],
  ],
  [
    "the same, one with a source",
    [{ interface: "wan0", source: "10.0.0.1" }, { interface: "wan0" }],
    ["bad path p1: uses wan0, as path p0 does: it is the same line twice"],
  ],
  [
    "one interface, two sources",
    [
      { interface: "wan0", source: "10.0.0.1" },
      { interface: "wan0", source: "10.0.0.2" },
    ],
    [],
  ],
  [
    "one source twice",
    [{ source: "10.0.0.1" }, { source: "10.0.0.1" }],
    ["bad path p1: uses 10.0.0.1, as path p0 does: it is the same line twice"],
  ],
  ["an interface, and a source without one", [{ interface: "wan0" }, { source: "10.0.0.1" }], []],
] as const) {
  test(`doubled lines: ${what}`, () => {
    const findings = doubledLines(paths.map((each, i) => path(`p${i}`, each)));
    assert.deepEqual(said(findings), found);
  });
}

const up = { exists: true, isUp: true, isPointToPoint: false, addresses: ["10.0.0.1"] };

for (const [what, facts, found] of [
  ["is well", { link: up }, ["ok path adsl1: interface wan0: is up with 10.0.0.1"]],
  [
    "is not there",
    { link: { ...up, exists: false } },
    [
      "bad path adsl1: interface wan0: does not exist -> `ip -br link` lists the interfaces; name the line's in path.interface",
    ],
  ],
  [
    "is down",
    { link: { ...up, isUp: false } },
    ["bad path adsl1: interface wan0: is down -> `ip link set wan0 up`"],
  ],
  [
    "has no address",
    { link: { ...up, addresses: [] } },
    [
      "bad path adsl1: interface wan0: has no address -> the line is not connected; look at its dialler or DHCP client",
    ],
  ],
  [
    "filters strictly",
    { link: up, reversePathFilter: 1 },
    [
      "ok path adsl1: interface wan0: is up with 10.0.0.1",
      "note path adsl1: reverse-path filter: is strict, and may drop the packets that come back over this line -> `sysctl -w net.ipv4.conf.wan0.rp_filter=2`",
    ],
  ],
] as const) {
  test(`a line's interface that ${what}`, () => {
    assert.deepEqual(said(lineFindings(line({ ...facts })), "mend"), found);
  });
}

test("a source alone chooses no line: its packets may leave over another", () => {
  const facts = {
    path: path("adsl2", { source: "10.0.0.2" }),
    link: undefined,
    isOwnSource: true,
    sourceDevice: "wan1",
  };
  const over = (device: string) => [
    { ...target(), route: { found: "route", device, gateway: undefined } as const },
  ];
  assert.deepEqual(said(lineFindings(line({ ...facts, targets: over("wan0") })), "mend").slice(1), [
    "bad path adsl2: source 10.0.0.2: is of wan1, but its packets leave over wan0: an address alone chooses no line -> " +
      'add interface = "wan1" to path adsl2',
  ]);
  assert.equal(lineFindings(line({ ...facts, targets: over("wan1") })).length, 1);
  assert.match(
    said(lineFindings(line({ ...facts, isOwnSource: false })))[0] ?? "",
    /is no address of this machine/,
  );
});

for (const [what, facts, family, mend] of [
  [
    "with a gateway that is known",
    { knownGateway: { 4: "10.0.0.254" } },
    4,
    "`ip route add default via 10.0.0.254 dev wan0 metric 200`;",
  ],
  [
    "with none",
    {},
    4,
    "`ip route add default via GATEWAY dev wan0 metric 200`, GATEWAY being the address of the line's router;",
  ],
  ["of PPP", { link: { ...up, isPointToPoint: true } }, 4, "`ip route add default dev wan0 metric 200`;"],
  [
    "by IPv6",
    { knownGateway: { 6: "fe80::1" } },
    6,
    "`ip -6 route add default via fe80::1 dev wan0 metric 300`;",
  ],
] as const) {
  test(`the mend of a missing route, on a line ${what}`, () => {
    const finding = missingRoute(line(facts), target(family));
    assert.equal(
      finding.mend,
      `${mend} put it into the line's network configuration, too, or it is gone after the next start`,
    );
  });
}

test("a quota that an old kernel cannot count in full is a finding", () => {
  const quota = { bytes: 1e9, resetDay: 1, whenReached: "backup", count: "both" } as const;
  assert.match(
    said(quotaFindings(path("lte", { quota }), "4.18.0"))[0] ?? "",
    /^note path lte: quota: Linux 4\.18\.0 /,
  );
  assert.deepEqual(quotaFindings(path("lte", { quota }), "6.1.0"), []);
  assert.deepEqual(quotaFindings(path("dsl"), "4.18.0"), []);
});
