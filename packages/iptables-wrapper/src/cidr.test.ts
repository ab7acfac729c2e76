import assert from "node:assert/strict";
import { test } from "node:test";
import { normalizeCidr } from "./cidr.ts";

test("IPv4 CIDRs lose their host bits and gain their length", () => {
  assert.equal(normalizeCidr("192.0.2.1", "ipv4"), "192.0.2.1/32");
  assert.equal(normalizeCidr("10.1.2.3/8", "ipv4"), "10.0.0.0/8");
  assert.equal(normalizeCidr("255.255.255.255/31", "ipv4"), "255.255.255.254/31");
  assert.equal(normalizeCidr("1.2.3.4/0", "ipv4"), "0.0.0.0/0");
});

test("IPv6 CIDRs are spelt as the kernel's tools spell them", () => {
  assert.equal(normalizeCidr("::1", "ipv6"), "::1/128");
  assert.equal(normalizeCidr("::", "ipv6"), "::/128");
  assert.equal(normalizeCidr("2001:DB8:0:0:1:0:0:1/128", "ipv6"), "2001:db8::1:0:0:1/128");
  assert.equal(normalizeCidr("2001:db8:0:1:1:1:1:1", "ipv6"), "2001:db8:0:1:1:1:1:1/128");
  assert.equal(normalizeCidr("2001:db8:ffff::/33", "ipv6"), "2001:db8:8000::/33");
  assert.equal(normalizeCidr("fe80::1/10", "ipv6"), "fe80::/10");
  assert.equal(normalizeCidr("64:ff9b::192.0.2.33/96", "ipv6"), "64:ff9b::/96");
  assert.equal(normalizeCidr("::ffff:192.0.2.33", "ipv6"), "::ffff:192.0.2.33/128");
});

test("what is no CIDR of the family is refused", () => {
  const wrong4 = ["", "10.0.0.0/33", "10.0.0/8", "10.0.0.0/", "10.0.0.0/08", "10.0.0.0/8/8", "10.0.0.0/-1"];
  for (const text of [...wrong4, "example.org", "::1", "10.0.0.1 -j ACCEPT", "10.0.0.1\n", " 10.0.0.1"]) {
    assert.equal(normalizeCidr(text, "ipv4"), undefined, text);
  }
  for (const text of [
    "",
    "::/129",
    "10.0.0.1",
    "fe80::1%eth0",
    "fe80::1%eth0/64",
    "::1\n",
    "g::",
    "::1/64 ",
  ]) {
    assert.equal(normalizeCidr(text, "ipv6"), undefined, text);
  }
});
