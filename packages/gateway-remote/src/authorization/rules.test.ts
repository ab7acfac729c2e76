import assert from "node:assert/strict";
import { test } from "node:test";
import type { Parsed } from "@hawser/shared-protocol";
import { type EgressRule, parseAllowRule, parseDenyRule } from "./rules.ts";

function shown(result: Parsed<EgressRule>): string {
  if (!result.ok) return result.problem;
  const { range, ports } = result.value;
  const where = typeof range === "string" ? range : `${range.address}/${range.prefix}`;
  return `${where} ${ports.join("-")}`;
}

test("ranges, addresses, words and their ports", () => {
  const golden: [string, string][] = [
    ["203.0.113.0/24", "203.0.113.0/24 1-65535"],
    ["203.0.113.0/24:443", "203.0.113.0/24 443-443"],
    ["127.0.0.1:5432", "127.0.0.1/32 5432-5432"],
    ["10.0.0.0/8:8000-8999", "10.0.0.0/8 8000-8999"],
    ["0.0.0.0/0", "0.0.0.0/0 1-65535"],
    ["::1", "::1/128 1-65535"],
    ["2001:db8::/32", "2001:db8::/32 1-65535"],
    ["[2001:db8::/32]", "2001:db8::/32 1-65535"],
    ["[2001:db8::/32]:443", "2001:db8::/32 443-443"],
    ["[::1]:1-65535", "::1/128 1-65535"],
    ["public", "public 1-65535"],
    ["public:443", "public 443-443"],
  ];
  for (const [text, meaning] of golden) assert.equal(shown(parseAllowRule(text)), meaning, text);
  assert.equal(shown(parseDenyRule("*")), "* 1-65535");
  assert.equal(shown(parseDenyRule("*:25")), "* 25-25");
});

test("a faulty rule is refused with the fault and the mend", () => {
  const golden: [string, string][] = [
    [
      "*:443",
      `"*:443" would allow this machine's own localhost, too; write "public:443", or "0.0.0.0/0:443" and "[::/0]:443" if that is what you want`,
    ],
    [
      "2001:db8::1:443",
      '"2001:db8::1:443" can be read in two ways; write "[2001:db8::1:443]" or "[2001:db8::1]:443", whichever you mean',
    ],
    [
      "2001:db8::/32:443",
      '"2001:db8::/32:443": write an IPv6 range with a port in brackets, "[2001:db8::/32]:443"',
    ],
    ["[::1]/64", '"[::1]/64": write the prefix within the brackets, "[::1/64]"'],
    ["[::1]/64:80", '"[::1]/64:80": write the prefix within the brackets, "[::1/64]:80"'],
    ["[10.0.0.0/8]:80", '"[10.0.0.0/8]:80": brackets are for IPv6; write the IPv4 range without'],
    ["10.0.0.0/33:80", '"10.0.0.0/33": the prefix of an IPv4 range is a number from 0 to 32'],
    ["::ffff:10.0.0.0/104", '"::ffff:10.0.0.0/104": write an IPv4-mapped range as the IPv4 range that it is'],
    ["10.0.0.0/8:0", '"10.0.0.0/8:0": "0" is no port from 1 to 65535, nor two such with a "-"'],
    ["10.0.0.0/8:", '"10.0.0.0/8:": "" is no port from 1 to 65535, nor two such with a "-"'],
    ["public:65536", '"public:65536": "65536" is no port from 1 to 65535, nor two such with a "-"'],
    ["public:http", '"public:http": "http" is no port from 1 to 65535, nor two such with a "-"'],
    ["public:20-10", '"public:20-10": the ports run from 20 down to 10; swap them'],
    [
      "origin.example:443",
      '"origin.example:443": rules are of addresses, since a name leads wherever its owner wants; write its addresses',
    ],
    [
      "localhost",
      '"localhost": rules are of addresses, since a name leads wherever its owner wants; write its addresses ("public" and "*" are the only words)',
    ],
  ];
  for (const [text, problem] of golden) assert.equal(shown(parseAllowRule(text)), problem, text);
  for (const text of [
    "",
    "10.0.0",
    "127.1",
    "0x7f000001",
    "fe80::1%eth0",
    "[",
    "[]",
    "a b",
    ":443",
    "1.2.3.4:5:6",
  ])
    assert.ok(!parseAllowRule(text).ok, text);
  assert.equal(
    shown(parseDenyRule("public:25")),
    '"public:25": "public" has its place in allow; here write "*:25"',
  );
});
