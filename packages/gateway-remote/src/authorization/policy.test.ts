import assert from "node:assert/strict";
import { test } from "node:test";
import type { Parsed } from "@hawser/shared-protocol";
import { EgressPolicy } from "./policy.ts";
import { type EgressRule, parseAllowRule, parseDenyRule } from "./rules.ts";

function valueOf<T>(result: Parsed<T>): T {
  assert.ok(result.ok);
  return result.value;
}

function policy(allow: readonly string[] = ["public"], deny: readonly string[] = []): EgressPolicy {
  return new EgressPolicy({
    allow: allow.map((text): EgressRule => valueOf(parseAllowRule(text))),
    deny: deny.map((text): EgressRule => valueOf(parseDenyRule(text))),
    isOwn: (ip) => ip === "203.0.113.1",
  });
}

function allowed(rules: EgressPolicy, ...destinations: readonly [string, number][]): boolean[] {
  return destinations.map(([host, port]) => rules.whyDenied(host, port) === undefined);
}

/** First and last addresses of ranges, metadata services, and other spellings of both. */
const DENIED: Readonly<Record<string, readonly string[]>> = {
  unspecified: ["0.0.0.0", "0.255.255.255", "::", "::ffff:0.0.0.0"],
  loopback: [
    "127.0.0.1",
    "127.255.255.255",
    "::1",
    "::1%lo",
    "0:0:0:0:0:0:0:1",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
  ],
  "link-local": ["169.254.0.0", "169.254.169.254", "169.254.255.255", "fe80::1", "fe80::1%eth0", "febf::1"],
  private: [
    "10.0.0.0",
    "10.255.255.255",
    "172.16.0.0",
    "172.31.255.255",
    "192.168.0.0",
    "192.168.255.255",
    "::ffff:192.168.0.1",
    "fc00::",
    "fd00:ec2::254",
    "fd20:ce::254",
    "fdff::1",
    "fec0::1",
  ],
  shared: ["100.64.0.0", "100.100.100.200", "100.127.255.255"],
  "protocol assignments": ["192.0.0.192", "64:ff9b:1::a00:1"],
  metadata: ["168.63.129.16"],
  multicast: ["224.0.0.1", "239.255.255.255", "ff02::1", "ff0e::1"],
  "reserved and broadcast": ["240.0.0.0", "255.255.255.255"],
  "IPv4-compatible": ["::127.0.0.1", "::7f00:1", "::2"],
  "IPv4-translated": ["::ffff:0:127.0.0.1"],
  Teredo: ["2001::1"],
  "not given out": ["100::1", "4000::1", "64:ff9b:2::1", "1::1"],
};

test("addresses that are not public are denied by default, in every spelling", () => {
  const rules = policy();
  for (const [what, addresses] of Object.entries(DENIED)) {
    for (const address of addresses)
      assert.equal(rules.whyDenied(address, 80), `${what}, and no rule in allow names it`, address);
  }
});

test("an IPv4 address behind NAT64 or 6to4 is judged as itself", () => {
  const golden: [string, string | undefined][] = [
    ["64:ff9b::127.0.0.1", "loopback"],
    ["64:ff9b::a9fe:a9fe", "link-local"],
    ["64:ff9b::10.1.2.3", "private"],
    ["2002:7f00:1::1", "loopback"],
    ["2002:a9fe:a9fe::", "link-local"],
    ["2002:c0a8:1::1", "private"],
    ["64:ff9b::198.51.100.1", undefined],
    ["2002:c633:6401::1", undefined],
  ];
  for (const [address, what] of golden) {
    const why = policy().whyDenied(address, 80);
    assert.equal(why, what && `${what}, and no rule in allow names it`, address);
  }
  const barred = policy(["public"], ["198.51.100.0/24"]);
  for (const address of ["198.51.100.1", "::ffff:198.51.100.1", "64:ff9b::198.51.100.1", "2002:c633:6401::1"])
    assert.equal(barred.whyDenied(address, 80), "the rule 198.51.100.0/24 in deny", address);
});

test("public addresses, and the ranges that labs use, are allowed by default", () => {
  const rules = policy();
  for (const address of [
    "1.1.1.1",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "169.253.255.255",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.2.1",
    "192.169.0.0",
    "198.18.0.1",
    "198.51.100.10",
    "203.0.113.2",
    "223.255.255.255",
    "2001:db8:100::10",
    "2606:4700::1111",
    "::ffff:1.1.1.1",
  ])
    assert.equal(rules.whyDenied(address, 80), undefined, address);
});

test("this machine's own public addresses are denied by default, in every spelling; a rule may name them", () => {
  const own = ["203.0.113.1", "::ffff:203.0.113.1", "64:ff9b::203.0.113.1", "2002:cb00:7101::1"];
  for (const spelling of own)
    assert.equal(policy().whyDenied(spelling, 22), "this machine itself, and no rule in allow names it");
  assert.equal(policy().whyDenied("203.0.113.2", 22), undefined);
  const named = policy(["public", "203.0.113.1:443"]);
  assert.deepEqual(allowed(named, ["203.0.113.1", 443], ["203.0.113.1", 22]), [true, false]);
});

test("one peer may reach one network's HTTPS, and nothing else", () => {
  const rules = policy(["203.0.113.0/24:443"]);
  assert.deepEqual(
    allowed(rules, ["203.0.113.9", 443], ["203.0.113.9", 80], ["203.0.114.1", 443], ["127.0.0.1", 443]),
    [true, false, false, false],
  );
  assert.equal(rules.whyDenied("1.1.1.1", 443), "public, and no rule in allow names it");
});

test("another peer may reach the VPS's database and the Internet", () => {
  const rules = policy(["public", "127.0.0.1:5432"]);
  assert.deepEqual(
    allowed(
      rules,
      ["127.0.0.1", 5432],
      ["::ffff:127.0.0.1", 5432],
      ["127.0.0.1", 22],
      ["127.0.0.2", 5432],
      ["::1", 5432],
      ["1.1.1.1", 5432],
    ),
    [true, true, false, false, false, true],
  );
});

test("a destination that deny names is not reached, whatever allow says", () => {
  const rules = policy(["public", "10.0.0.0/8"], ["*:25", "10.9.0.0/16", "[2001:db8::/32]:80-89"]);
  assert.deepEqual(
    allowed(
      rules,
      ["1.1.1.1", 25],
      ["10.1.1.1", 25],
      ["10.9.1.1", 80],
      ["10.1.1.1", 80],
      ["2001:db8::1", 85],
      ["2001:db8::1", 90],
    ),
    [false, false, false, true, false, true],
  );
  assert.deepEqual(allowed(policy([]), ["1.1.1.1", 80]), [false]);
  assert.deepEqual(allowed(policy(["0.0.0.0/0", "[::/0]"]), ["127.0.0.1", 80], ["::1", 80]), [true, true]);
});
