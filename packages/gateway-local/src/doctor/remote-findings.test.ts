import assert from "node:assert/strict";
import { test } from "node:test";
import type { DialFacts, LineFacts, TargetFacts } from "./facts.ts";
import { reachedAddresses, remoteFindings } from "./remote-findings.ts";
import { failed, line, said, target } from "./testing.ts";

const SUBJECT = "bad path adsl1: remote 203.0.113.1:4433: ";
const TLS = "the TLS handshake failed: ERR_SSL_WRONG_VERSION_NUMBER";
const REFUSED = "the server knows no such identity, or another key for it";

function findings(
  dial: DialFacts,
  change: Partial<TargetFacts> = {},
  others: readonly LineFacts[] = [],
): string {
  const own = line({ targets: [{ ...target(4, dial), ...change }] });
  return said(remoteFindings(own, "home", reachedAddresses([own, ...others])), "mend").join();
}

for (const [what, dial, change, found] of [
  [
    "refused",
    failed("ECONNREFUSED"),
    {},
    "the VPS answers, but no program listens at that port -> on the VPS: `systemctl start hawser-remote`; `hawser-remote status` there says whether it runs",
  ],
  [
    "silent",
    failed("ERR_DIAL", "no answer"),
    {},
    "no answer -> does the line work? `ping -I wan0 203.0.113.1`; does the VPS's firewall let TCP port 4433 in?",
  ],
  ["of no permission", failed("EPERM", "no right"), {}, "no right -> `sudo hawser-local doctor`"],
  [
    "unreachable, as its router says",
    failed("EHOSTUNREACH"),
    {},
    "the line's router 10.0.0.254 says that it cannot be reached (EHOSTUNREACH); the route over wan0 is there -> is that router connected, and does it let this router out? `ping -I wan0 203.0.113.1`",
  ],
  [
    "unreachable over PPP",
    failed("ENETUNREACH"),
    { route: { found: "route", device: "ppp0", gateway: undefined } },
    "the line's other end says that it cannot be reached (ENETUNREACH); the route over wan0 is there -> is that router connected, and does it let this router out? `ping -I wan0 203.0.113.1`",
  ],
  [
    "unreachable, as its router is silent",
    failed("EHOSTUNREACH"),
    { isGatewaySilent: true },
    "the line's router 10.0.0.254 does not answer (EHOSTUNREACH) -> is the line's router on, and is that its address? `ping -I wan0 10.0.0.254`",
  ],
  [
    "unreachable, without ip(8)",
    failed("ENETUNREACH"),
    { route: { found: "unknown" } },
    "no way there (ENETUNREACH) -> `ip route get 203.0.113.1 oif wan0` says which way it goes",
  ],
  [
    "of an unknown key",
    failed("ERR_PSK_REFUSED", REFUSED),
    {},
    `${REFUSED}: the pairing line here is of "home" -> on the VPS: \`hawser-remote rotate home\`, or, if that says that it is not admitted, \`hawser-remote pair home\`; put what it prints in place of the pairing line here, then \`systemctl reload-or-restart hawser-local\``,
  ],
  [
    "a web server",
    failed("ERR_HANDSHAKE_FAILED", TLS, "HTTP/1.1 400 Bad Request"),
    {},
    "something else answers there, not hawser-remote: HTTP/1.1 400 Bad Request -> `ss -ltnp sport = :4433` on the VPS says which program has the port: give hawser-remote another one; if it is hawser-remote, a captive portal answers",
  ],
  [
    "a TLS server",
    failed("ERR_NOT_PSK", "the server offered a certificate"),
    {},
    "something else answers there, not hawser-remote: the server offered a certificate -> `ss -ltnp sport = :4433` on the VPS says which program has the port: give hawser-remote another one; if it is hawser-remote, a captive portal answers",
  ],
  [
    "no TLS, and no words",
    failed("ERR_HANDSHAKE_DEADLINE", "no TLS handshake within 5000 ms"),
    {},
    "a connection is made, but no TLS handshake within 5000 ms -> on the VPS `ss -ltnp sport = :4433` says which program has the port, and `hawser-remote logs` what it says",
  ],
] as const) {
  test(`the remote's answer is ${what}`, () => {
    assert.equal(findings(dial, change as Partial<TargetFacts>), SUBJECT + found);
  });
}

test("the mend of a silent line with a strict reverse-path filter loosens the filter", () => {
  const own = line({ targets: [target(4, failed("ERR_DIAL", "no answer"))], reversePathFilter: 1 });
  assert.match(
    said(remoteFindings(own, "home", new Set()), "mend").join(),
    /-> the strict reverse-path filter .*: `sysctl -w net\.ipv4\.conf\.wan0\.rp_filter=2`$/,
  );
});

test("of a line whose interface is not up nothing else is said", () => {
  const link = { exists: true, isUp: false, isPointToPoint: false, addresses: [] };
  const none = { ...target(), route: { found: "none" } as const, dial: undefined };
  assert.deepEqual(remoteFindings(line({ link, targets: [none] }), "home", new Set()), []);
});

test("where other lines reach the remote, it is the line", () => {
  const others = [line()];
  assert.match(
    findings(failed("ERR_HANDSHAKE_FAILED", TLS, "HTTP/1.1 302 Found"), {}, others),
    /the other lines reach hawser-remote there, so this line has a captive portal or a plan that is used up: `curl -i --interface wan0 /,
  );
  assert.match(
    findings(failed("ERR_HANDSHAKE_CLOSED"), {}, others),
    /so something on this one interferes: `curl/,
  );
  assert.match(
    findings(failed("ERR_DIAL"), {}, others),
    /the other lines reach it, so this line does not get through: `ping/,
  );
});

test("without a route nothing was dialled, and the route is the finding; a name that does not resolve is DNS's", () => {
  const none = { ...target(), route: { found: "none" } as const, dial: undefined };
  assert.match(
    said(remoteFindings(line({ targets: [none] }), "home", new Set())).join(),
    /^bad path adsl1: route to 203\.0\.113\.1: there is none over wan0/,
  );
  const unresolved = line({
    targets: [],
    noTarget: { code: "ENOTFOUND", message: "getaddrinfo ENOTFOUND x" },
  });
  assert.match(said(remoteFindings(unresolved, "home", new Set()), "mend").join(), /-> see DNS above$/);
});
