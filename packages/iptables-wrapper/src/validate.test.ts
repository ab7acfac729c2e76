import assert from "node:assert/strict";
import { test } from "node:test";
import { IptablesError } from "./errors.ts";
import type { Jump, Rule, RuleSet, TableName } from "./types.ts";
import { validateRuleSet } from "./validate.ts";

function refused(ruleSet: RuleSet, message: RegExp): void {
  assert.throws(
    () => validateRuleSet(ruleSet),
    (error) => {
      assert.ok(error instanceof IptablesError && error.code === "IPTABLES_RULES_INVALID", String(error));
      assert.match(error.message, message);
      return true;
    },
  );
}

function withRule(rule: Rule, table: TableName = "nat", family: "ipv4" | "ipv6" = "ipv4"): RuleSet {
  return { owner: "OWN", [family]: [{ table, chains: [{ name: "OWN", rules: [rule] }], jumps: [] }] };
}

function withJump(jump: Partial<Jump>): RuleSet {
  const jumps: Jump[] = [{ from: "PREROUTING", to: "OWN", ...jump }];
  return { owner: "OWN", ipv4: [{ table: "nat", chains: [{ name: "OWN", rules: [] }], jumps }] };
}

test("owners and chain names", () => {
  for (const owner of ["", "1A", "a b", "A.B", "-A", "é", "A\n", "x".repeat(29), "PREROUTING", "ACCEPT"]) {
    refused({ owner }, /^owner: /);
  }
  validateRuleSet({ owner: "x".repeat(28) });
  for (const name of ["OTHER", "OWNER", "OWN.", "OWN.a b", "OWN.a.b", `OWN.${"x".repeat(25)}`, "OWN.a\n"]) {
    const ruleSet: RuleSet = {
      owner: "OWN",
      ipv4: [{ table: "nat", chains: [{ name, rules: [] }], jumps: [] }],
    };
    refused(ruleSet, /^ipv4\.nat\.chains\[0\]\.name: /);
  }
  const chain = { name: "OWN", rules: [] };
  refused(
    { owner: "OWN", ipv6: [{ table: "nat", chains: [chain, chain], jumps: [] }] },
    /chains\[1\].*twice/,
  );
  const table = { table: "nat", chains: [], jumps: [] } as const;
  refused({ owner: "OWN", ipv4: [table, table] }, /^ipv4\.nat: the table is given twice/);
  refused({ owner: "OWN", ipv4: [{ ...table, table: "security" as TableName }] }, /no such table/);
});

test("nothing can smuggle an option, a line or a table into the text", () => {
  const evil = [
    "a b",
    "a\n-F",
    "a\tb",
    '"',
    "-j",
    "!eth0",
    "eth/0",
    "",
    "x".repeat(16),
    "..",
    "+",
    "a+b",
    "a:1",
  ];
  for (const name of evil) {
    refused(withRule({ inInterface: name, target: "RETURN" }), /^ipv4\.nat\.OWN\[0\]\.inInterface: /);
    refused(withJump({ from: "PREROUTING", inInterface: name }), /^ipv4\.nat\.jumps\[0\]\.inInterface: /);
  }
  for (const comment of ['a"b', "a\\", "a\nCOMMIT", "", "é", "x".repeat(256), "managed-by:OTHER"]) {
    refused(withRule({ comment, target: "RETURN" }), /^ipv4\.nat\.OWN\[0\]\.comment: /);
  }
  refused(withRule({ target: "RETURN\n-F" as "RETURN" }), /target: .* is unknown/);
  refused(withRule({ protocol: "tcp -j ACCEPT" as "tcp", target: "RETURN" }), /protocol: .* is unknown/);
  refused(withRule({ destinationType: "LOCAL -j X" as "LOCAL", target: "RETURN" }), /destinationType: /);
  refused(
    withRule({ connectionState: "NEW -j X" as "NEW", target: "DROP" }),
    /connectionState: .* is unknown/,
  );
  for (const destinationSet of ["", "a b", "-j", "a\n", "é", "x".repeat(32)]) {
    refused(
      withRule({ protocol: "tcp", destinationSet, target: "DROP" }),
      /destinationSet: .* no name of a set/,
    );
  }
  refused(withRule({ target: { jump: "OTHER" } }), /target: "OTHER" is no chain of this rule set/);
});

test("addresses of the wrong family and host names", () => {
  refused(withRule({ destination: "fc00::/7", target: "RETURN" }), /destination: "fc00::\/7" is no IPv4/);
  refused(withRule({ source: "10.0.0.0/8", target: "RETURN" }, "nat", "ipv6"), /^ipv6.*source: .* no IPv6/);
  refused(withRule({ destination: "example.org", target: "RETURN" }), /destination: "example.org"/);
});

test("ports, marks, targets", () => {
  for (const redirectTo of [0, 65536, 1.5, Number.NaN]) {
    refused(withRule({ protocol: "tcp", target: { redirectTo } }), /target: .* is no port/);
  }
  refused(withRule({ target: { redirectTo: 80 } }), /needs protocol tcp or udp/);
  refused(withRule({ destinationPort: 53, target: "DROP" }), /destinationPort: needs protocol/);
  refused(withRule({ syn: true, protocol: "udp", target: "DROP" }), /syn: needs protocol tcp/);
  refused(withRule({ destinationSet: "s", target: "DROP" }), /destinationSet: needs protocol/);
  const backwards = { from: 20, to: 10 };
  refused(withRule({ protocol: "tcp", destinationPort: backwards, target: "DROP" }), /no port .* or range/);
  refused(withRule({ mark: { value: 2 ** 32 }, target: "DROP" }), /mark: .*32 bits/);
  refused(withRule({ mark: { value: 0x100, mask: 0xff }, target: "DROP" }), /mark: .*never matches/);
  validateRuleSet(withRule({ mark: { value: 0x80000000, mask: 0x80000000 }, target: "DROP" }));
  refused(withRule({ target: { rejectWith: "tcp-reset" } }), /REJECT works in the table filter only/);
  refused(withRule({ target: { rejectWith: "tcp-reset" } }, "filter"), /tcp-reset needs protocol tcp/);
  refused(withRule({ target: { rejectWith: "icmp-port-unreachable" } }, "filter", "ipv6"), /none of icmp6-/);
  refused(withRule({ target: "MASQUERADE" }, "filter"), /table nat only/);
});

test("jumps", () => {
  refused(withJump({ from: "FORWARD" }), /from: "FORWARD" is no builtin chain of the table nat/);
  refused(withJump({ to: "OWN.x" }), /to: "OWN.x" is no chain/);
  refused(withJump({ from: "OUTPUT", inInterface: "eth0" }), /inInterface: is not known in OUTPUT/);
  refused(withJump({ outInterface: "eth0" }), /outInterface: is not known in PREROUTING/);
  refused(withJump({ position: "middle" as "first" }), /position/);
  validateRuleSet(withJump({ inInterface: "wlan+" }));
});
