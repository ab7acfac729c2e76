import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCidr } from "@hawser/gateway-kit/config";
import { renderRestore } from "iptables-wrapper";
import type { CaptureConfig } from "../config.ts";
import { type CaptureState, drainingRules, EVERY_WAY_OUT, redirectRules } from "./rules.ts";

function state(
  changes: Partial<CaptureConfig> = {},
  { wayOut = EVERY_WAY_OUT, hasSets = false }: Partial<CaptureState> = {},
): CaptureState {
  const capture: CaptureConfig = {
    listen: ["0.0.0.0", "::"].map((host) => ({ host, port: 12345 })),
    from: ["br-lan"],
    rules: true,
    bypass: ["192.0.2.0/24", "2001:db8:1::/48"].map((text) => {
      const cidr = parseCidr(text);
      assert.ok(cidr.ok);
      return cidr.value;
    }),
    quic: "reject",
    ...changes,
  };
  return { capture, left: ["203.0.113.1", "2001:db8:113::1"], wayOut, hasSets };
}

/** The rules for destinations that are left alone, which begin every chain that depends on the destination. */
const LEFT_V4 = (chain: string): string =>
  `-A ${chain} -d 0.0.0.0/8 -j RETURN
-A ${chain} -d 127.0.0.0/8 -j RETURN
-A ${chain} -d 169.254.0.0/16 -j RETURN
-A ${chain} -d 10.0.0.0/8 -j RETURN
-A ${chain} -d 172.16.0.0/12 -j RETURN
-A ${chain} -d 192.168.0.0/16 -j RETURN
-A ${chain} -d 100.64.0.0/10 -j RETURN
-A ${chain} -d 192.0.0.0/24 -j RETURN
-A ${chain} -d 168.63.129.16/32 -j RETURN
-A ${chain} -d 224.0.0.0/4 -j RETURN
-A ${chain} -d 240.0.0.0/4 -j RETURN
-A ${chain} -d 192.0.2.0/24 -j RETURN
-A ${chain} -d 203.0.113.1/32 -j RETURN
`;
const LEFT_V6 = (chain: string): string =>
  `-A ${chain} -d ::/128 -j RETURN
-A ${chain} -d ::1/128 -j RETURN
-A ${chain} -d fe80::/10 -j RETURN
-A ${chain} -d fc00::/7 -j RETURN
-A ${chain} -d fec0::/10 -j RETURN
-A ${chain} -d 64:ff9b:1::/48 -j RETURN
-A ${chain} -d ff00::/8 -j RETURN
-A ${chain} -d ::/96 -j RETURN
-A ${chain} -d ::ffff:0:0:0/96 -j RETURN
-A ${chain} -d 2001::/32 -j RETURN
-A ${chain} -d 2001:db8:1::/48 -j RETURN
-A ${chain} -d 2001:db8:113::1/128 -j RETURN
`;
const OURS = '-m comment --comment "managed-by:HAWSER"';
const TURN = `-I PREROUTING 1 -i br-lan -p tcp ${OURS} -j HAWSER\n`;

function nat(left: string, jumps: string): string {
  return `*nat
:HAWSER - [0:0]
-A HAWSER -m addrtype --dst-type LOCAL -j RETURN
${left}-A HAWSER -p tcp -j REDIRECT --to-ports 12345
${jumps}COMMIT
`;
}

const ACCEPT = `-A HAWSER.accept -p tcp -m tcp --dport 12345 -m conntrack --ctstate DNAT -j ACCEPT\n`;
const TO_ACCEPT = `-I INPUT 1 -i br-lan -p tcp ${OURS} -j HAWSER.accept\n`;

/** The filter table that accepts redirected connections, and does nothing else. */
const ACCEPTING = `*filter
:HAWSER.accept - [0:0]
${ACCEPT}${TO_ACCEPT}COMMIT
`;

function refusing(left: string, rules: string, jumps: string): string {
  return `*filter
:HAWSER.accept - [0:0]
:HAWSER.refuse - [0:0]
${ACCEPT}${left}${rules}${TO_ACCEPT}${jumps}COMMIT
`;
}

const QUIC_V4 = "-A HAWSER.refuse -p udp -m udp --dport 443 -j REJECT --reject-with icmp-port-unreachable\n";
const QUIC_V6 = QUIC_V4.replace("icmp-", "icmp6-");
const TO_QUIC = `-I FORWARD 1 -i br-lan -p udp -m udp --dport 443 ${OURS} -j HAWSER.refuse\n`;
const SYN = "-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN";

test("both families, in full: TCP is redirected and accepted, QUIC is refused, the same destinations are left alone", () => {
  const rules = redirectRules(state());
  assert.equal(
    renderRestore(rules, "ipv4"),
    nat(LEFT_V4("HAWSER"), TURN) + refusing(LEFT_V4("HAWSER.refuse"), QUIC_V4, TO_QUIC),
  );
  assert.equal(
    renderRestore(rules, "ipv6"),
    nat(LEFT_V6("HAWSER"), TURN) + refusing(LEFT_V6("HAWSER.refuse"), QUIC_V6, TO_QUIC),
  );
});

test('quic = "pass": nothing is refused', () => {
  const rules = redirectRules(state({ quic: "pass" }));
  assert.equal(renderRestore(rules, "ipv4"), nat(LEFT_V4("HAWSER"), TURN) + ACCEPTING);
  assert.equal(renderRestore(rules, "ipv6"), nat(LEFT_V6("HAWSER"), TURN) + ACCEPTING);
});

test("without a way out by IPv6, TCP over IPv6 is reset, not redirected; IPv4 is as before", () => {
  const rules = redirectRules(state({}, { wayOut: { ipv4: true, ipv6: false }, hasSets: true }));
  const usual = redirectRules(state({}, { hasSets: true }));
  assert.equal(renderRestore(rules, "ipv4"), renderRestore(usual, "ipv4"));
  const reset = `-A HAWSER.refuse ${SYN} -j REJECT --reject-with tcp-reset\n`;
  const jump = `-I FORWARD 2 -i br-lan ${SYN} ${OURS} -j HAWSER.refuse\n`;
  assert.equal(
    renderRestore(rules, "ipv6"),
    nat(LEFT_V6("HAWSER"), "") + refusing(LEFT_V6("HAWSER.refuse"), QUIC_V6 + reset, TO_QUIC + jump),
  );
});

test("destinations that failed lately are refused in the same way, not redirected", () => {
  const rules = redirectRules(state({ quic: "pass" }, { hasSets: true }));
  const ipv4 = renderRestore(rules, "ipv4");
  const set = (name: string): string => `-m set --match-set HAWSER.${name} dst,dst`;
  const spared =
    `-A HAWSER -p tcp ${set("refused.ipv4")} -j RETURN\n` +
    `-A HAWSER -p tcp ${set("unreachable.ipv4")} -j RETURN\n`;
  const refused =
    `-A HAWSER.refuse ${SYN} ${set("refused.ipv4")} -j REJECT --reject-with tcp-reset\n` +
    `-A HAWSER.refuse ${SYN} ${set("unreachable.ipv4")} -j REJECT --reject-with icmp-host-unreachable\n`;
  const jump = `-I FORWARD 1 -i br-lan ${SYN} ${OURS} -j HAWSER.refuse\n`;
  assert.equal(
    ipv4,
    nat(LEFT_V4("HAWSER") + spared, TURN) + refusing(LEFT_V4("HAWSER.refuse"), refused, jump),
  );
  const ipv6 = renderRestore(rules, "ipv6");
  assert.match(ipv6, /refused\.ipv6 dst,dst -j REJECT --reject-with tcp-reset\n/);
  assert.match(ipv6, /unreachable\.ipv6 dst,dst -j REJECT --reject-with icmp6-addr-unreachable\n/);
});

test("while draining nothing is redirected or refused, and redirected connections are still accepted", () => {
  const rules = drainingRules(state({}, { hasSets: true }));
  assert.equal(renderRestore(rules, "ipv4"), nat(LEFT_V4("HAWSER"), "") + ACCEPTING);
  assert.equal(renderRestore(rules, "ipv6"), nat(LEFT_V6("HAWSER"), "") + ACCEPTING);
});

test("several interfaces; a family without a listener has no rules", () => {
  const listen = [{ host: "0.0.0.0", port: 12345 }];
  const rules = redirectRules(state({ from: ["br-lan", "wlan0"], listen }));
  assert.equal(renderRestore(rules, "ipv6"), "");
  const jumps = renderRestore(rules, "ipv4")
    .split("\n")
    .filter((line) => line.startsWith("-I"))
    .map((line) => line.replace(` ${OURS}`, ""));
  assert.deepEqual(jumps, [
    "-I PREROUTING 1 -i br-lan -p tcp -j HAWSER",
    "-I PREROUTING 2 -i wlan0 -p tcp -j HAWSER",
    "-I INPUT 1 -i br-lan -p tcp -j HAWSER.accept",
    "-I INPUT 2 -i wlan0 -p tcp -j HAWSER.accept",
    "-I FORWARD 1 -i br-lan -p udp -m udp --dport 443 -j HAWSER.refuse",
    "-I FORWARD 2 -i wlan0 -p udp -m udp --dport 443 -j HAWSER.refuse",
  ]);
});

test("a listener on :: alone takes both families", () => {
  const rules = redirectRules(state({ listen: [{ host: "::", port: 999 }] }));
  for (const family of ["ipv4", "ipv6"] as const)
    assert.match(renderRestore(rules, family), /REDIRECT --to-ports 999\n/);
});
