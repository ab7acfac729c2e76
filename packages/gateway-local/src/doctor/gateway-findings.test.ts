import assert from "node:assert/strict";
import { test } from "node:test";
import type { LocalStatusReport, PathStatus } from "@hawser/status-api/model";
import type { LocalConfig, PathConfig } from "../config.ts";
import type { FilterFacts, GatewayFacts, LanDeviceFacts, RuleFacts } from "./facts.ts";
import { type Finding, renderSummary } from "./findings.ts";
import { gatewayFindings } from "./gateway-findings.ts";
import { lanPathFindings } from "./lan-path-findings.ts";
import { rulesFindings } from "./rules-findings.ts";
import { path, said } from "./testing.ts";

function runs(
  change: Partial<LocalStatusReport> = {},
  isHealthy = true,
  roles: readonly string[] = ["active"],
): GatewayFacts {
  const paths = roles.map((role, i) => ({ name: `p${i}`, role }) as PathStatus);
  const report = { role: "local", session: { paths }, ...change } as LocalStatusReport;
  return {
    state: "runs",
    report,
    isHealthy,
    reason: isHealthy ? "1 of 1 lines are up" : "no line is up: p0 down",
  };
}

function config(paths: readonly PathConfig[] = [path("p0")]): LocalConfig {
  return { status: { listen: { host: "127.0.0.1", port: 8080 } }, paths } as unknown as LocalConfig;
}

for (const [what, gateway, found] of [
  ["is well", runs(), "ok gateway: runs: 1 of 1 lines are up"],
  [
    "is not healthy",
    runs({}, false),
    "bad gateway: runs, but no line is up: p0 down -> see the findings above; `hawser-local events` says since when",
  ],
  [
    "has every path disabled",
    runs({}, false, ["disabled", "disabled"]),
    "bad gateway: every line is disabled -> `hawser-local path p0 active`",
  ],
  [
    "does not run",
    { state: "absent" },
    "note gateway: does not run -> `systemctl start hawser-local`, or `hawser-local run`",
  ],
  [
    "is another program",
    { state: "foreign", what: "HTTP 404, which is no Hawser's" },
    "bad gateway: another program answers at 127.0.0.1:8080, its status address: HTTP 404, which is no Hawser's -> `ss -ltnp sport = :8080` says which; end it, or give status.listen another port and run `systemctl restart hawser-local`",
  ],
  [
    "has another token",
    { state: "locked" },
    "bad gateway: runs at 127.0.0.1:8080, but does not accept this file's token -> it was started with another one: `systemctl restart hawser-local`",
  ],
] as const) {
  test(`a gateway that ${what}`, () => {
    assert.deepEqual(said(gatewayFindings(config(), gateway as GatewayFacts), "mend"), [found]);
  });
}

test("a device whose new flows are refused for the others' sake is named", () => {
  const greedy = { source: "192.168.77.3", flows: 15_400, dialling: 12, refused: 99 };
  const gateway = runs({ flowRoom: { limit: 16_384, open: 15_500, dialling: 20, isFull: false, greedy } });
  assert.equal(
    said(gatewayFindings(config(), gateway), "mend")[1],
    "note flows: 192.168.77.3 has 15400 of the 16384 flows that there is room for: its new ones are refused, so that others are served -> `hawser-local flows --search 192.168.77.3` lists its flows; what runs on that device?",
  );
});

test("a gateway that does not run could use no line: every line is disabled in the file", () => {
  const disabled = config([path("p0", { role: "disabled" })]);
  assert.match(
    said(gatewayFindings(disabled, { state: "absent" })).join(),
    /^bad gateway: does not run, and every line/,
  );
});

const APPLY = "`hawser-local rules apply`";
const CUT =
  "the rules are in place, and no gateway listens: the LAN's TCP is refused -> `systemctl start hawser-local`, or `hawser-local rules clear`";
for (const [facts, gateway, isOwn, found] of [
  [{ state: "in-place" }, "runs", true, "ok they are in place"],
  [
    { state: "missing" },
    "runs",
    true,
    `bad they are not in place: the LAN goes past Hawser, over one line -> ${APPLY}`,
  ],
  [
    { state: "differs", differences: ["the jump is gone"] },
    "runs",
    true,
    `bad they are not what the configuration says: the jump is gone -> ${APPLY}`,
  ],
  [{ state: "differs" }, "runs", false, `bad they are not what the configuration says -> ${APPLY}`],
  [{ state: "in-place" }, "locked", true, "ok they are in place"],
  [{ state: "in-place" }, "absent", true, `bad ${CUT}`],
  [{ state: "differs" }, "absent", false, `bad ${CUT}`],
  [{ state: "in-place" }, "foreign", true, `bad ${CUT}`],
  [
    { state: "missing" },
    "absent",
    true,
    "note they are not in place, as the gateway does not run: the LAN goes past Hawser -> `systemctl start hawser-local`",
  ],
  [
    { state: "missing" },
    "absent",
    false,
    `note they are not in place, as the gateway does not run: the LAN goes past Hawser -> \`systemctl start hawser-local\`, then ${APPLY}`,
  ],
  [
    { state: "unknown", code: "IPTABLES_TOOL_MISSING" },
    "absent",
    true,
    "bad iptables is not installed: nothing can be captured -> `apt install iptables`",
  ],
  [
    { state: "unknown", code: "IPTABLES_NO_PERMISSION" },
    "runs",
    true,
    "bad only root may read them -> `sudo hawser-local doctor`",
  ],
  [
    { state: "unknown", code: "IPTABLES_KERNEL_SUPPORT", message: "the kernel lacks it" },
    "absent",
    true,
    "bad the kernel lacks it -> `hawser-local rules show` prints what they should be",
  ],
] as const) {
  test(`rules ${facts.state} ${"code" in facts ? facts.code : ""} while the gateway ${gateway}, ${isOwn ? "its" : "root's"}`, () => {
    const findings = rulesFindings(
      [{ family: "ipv4", differences: [], ...facts } as RuleFacts],
      gateway,
      isOwn,
    );
    assert.deepEqual(said(findings, "mend"), [found.replace(" ", " redirect rules for IPv4: ")]);
  });
}

const LAN: LanDeviceFacts = {
  name: "lan0",
  exists: true,
  master: undefined,
  prefixes: ["192.168.1.1/24", "fe80::1/64"],
  forwards: { ipv4: true, ipv6: true },
};
const DENY = "# Generated by iptables-save v1.8.9 (nf_tables)\n*filter\n:INPUT DROP [0:0]\nCOMMIT\n";
const OPEN = "*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n";
const NFT = JSON.stringify({
  nftables: [
    {
      chain: { family: "ip", table: "filter", name: "INPUT", type: "filter", hook: "input", policy: "drop" },
    },
    { chain: { family: "inet", table: "fw", name: "input", type: "filter", hook: "input", policy: "drop" } },
  ],
});
const counted = (state: string, accepted: number, redirected: number | null): GatewayFacts =>
  runs({ capture: [{ family: "ipv4", state, accepted, redirected }] } as Partial<LocalStatusReport>);
const IPTABLES =
  "bad connections of the LAN by IPv4: redirected connections do not arrive: iptables's chain INPUT drops them by its policy, drop -> `iptables -I INPUT -i lan0 -p tcp --dport 12345 -m conntrack --ctstate DNAT -j ACCEPT`";
const NFTABLES =
  "bad connections of the LAN by IPv4: redirected connections do not arrive: nft's chain inet fw input drops them by its policy, drop -> `nft 'insert rule inet fw input iifname \"lan0\" tcp dport 12345 ct status dnat accept'`, and the same in /etc/nftables.conf";

for (const [what, ipv4, nft, gateway, found] of [
  [
    "they arrive",
    OPEN,
    undefined,
    counted("arrives", 5, 5),
    ["ok connections of the LAN by IPv4: they arrive: 5 so far"],
  ],
  [
    "none has come",
    OPEN,
    undefined,
    counted("unproven", 0, 0),
    [
      "note connections of the LAN by IPv4: none has come yet, so it is not proven that they arrive -> open a page on a device of the LAN, then run `hawser-local doctor` again",
    ],
  ],
  ["default-deny", DENY, undefined, counted("unproven", 0, 9), [IPTABLES]],
  ["default-deny, switched on after some had arrived", DENY, undefined, counted("arrives", 5, 5), [IPTABLES]],
  [
    "default-deny before the start, with which a rule of ours comes",
    DENY,
    undefined,
    { state: "absent" },
    [],
  ],
  [
    "nft's own chain; iptables-nft's is judged by iptables-save",
    DENY.replace("DROP", "ACCEPT"),
    NFT,
    counted("arrives", 5, 5),
    [NFTABLES],
  ],
  [
    "nft's own chain before the start",
    undefined,
    NFT.replace('"ip"', '"ip6"'),
    { state: "absent" },
    [NFTABLES],
  ],
  [
    "blocked, and nobody knows by what",
    undefined,
    undefined,
    counted("blocked", 5, 9),
    [
      "bad connections of the LAN by IPv4: the rules redirected 9 connections, of which the last do not arrive -> a firewall drops them: `iptables -v -S INPUT` and `nft list ruleset` show its rules and their counters",
    ],
  ],
] as const) {
  test(`the LAN's way in: ${what}`, () => {
    const filter: FilterFacts = { iptables: ipv4 === undefined ? {} : { ipv4 }, nft };
    const findings = lanPathFindings({ ipv4: 12_345, ipv6: 12_345 }, [LAN], filter, gateway as GatewayFacts);
    assert.deepEqual(said(findings, "mend"), found);
  });
}

test("the summary counts", () => {
  const of = (...levels: Finding["level"][]): string =>
    renderSummary(levels.map((level) => ({ level, subject: "", text: "" })));
  assert.equal(of("ok", "ok", "note", "bad"), "2 ok, 1 note, 1 bad");
  assert.equal(of(), "0 ok, 0 notes, 0 bad");
});
