/** The rule set of a redirecting gateway: what this package's tests and README work with. */

import { chainName } from "./ownership.ts";
import { Family, type Rule, type RuleSet, type TableRules } from "./types.ts";

export interface SampleOptions {
  readonly owner?: string;
  readonly from?: readonly string[];
  readonly port?: number;
  readonly bypass4?: readonly string[];
}

export function sampleRules(options: SampleOptions = {}): RuleSet {
  const { owner = "HAWSER-test", from = ["br-lan"], port = 12345, bypass4 = ["198.51.100.0/24"] } = options;
  const redirect = (family: Family, left: readonly string[]): TableRules => ({
    table: "nat",
    chains: [{ name: chainName(owner), rules: redirectRules(left, port, family) }],
    jumps: from.map((inInterface) => ({ from: "PREROUTING", to: owner, inInterface, protocol: "tcp" })),
  });
  return {
    owner,
    ipv4: [redirect(Family.ipv4, ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", ...bypass4])],
    ipv6: [redirect(Family.ipv6, ["fc00::/7", "fe80::/10"])],
  };
}

function redirectRules(left: readonly string[], port: number, family: Family): Rule[] {
  const remote = family === Family.ipv4 ? "203.0.113.9" : "2001:DB8:0::9";
  return [
    { destinationType: "LOCAL", target: "RETURN" },
    ...left.map((destination): Rule => ({ destination, target: "RETURN" })),
    { destination: remote, comment: "the remote gateway", target: "RETURN" },
    { protocol: "tcp", target: { redirectTo: port } },
  ];
}
