import { formatCidr, SPECIAL_RANGES } from "@hawser/shared-protocol/node";
import {
  chainName,
  type Family,
  normalizeCidr,
  type Rule,
  type RuleSet,
  type TableRules,
} from "iptables-wrapper";
import type { CaptureConfig } from "../config.ts";

/** Tag of everything that this gateway puts into the firewall. */
export const RULES_OWNER = "HAWSER";

/**
 * Never captured: what the remote gateway would not dial, such as a home's own networks and its provider's. The machine's
 * own addresses are matched by their type, the remote gateway's by address.
 */
const LEFT_ALONE = SPECIAL_RANGES.flatMap(([, ...ranges]) => ranges);

/** The rules that turn the LAN's TCP to the capture listener. A family without a listener gets none. */
export function redirectRules(capture: CaptureConfig, remoteAddresses: readonly string[]): RuleSet {
  const left = [...capture.bypass.map(formatCidr), ...remoteAddresses];
  const rules = (family: Family, port: number | undefined): TableRules[] =>
    port === undefined ? [] : [redirectTable(family, port, capture.from, left)];
  return {
    owner: RULES_OWNER,
    ipv4: rules("ipv4", capturePort(capture, "ipv4")),
    ipv6: rules("ipv6", capturePort(capture, "ipv6")),
  };
}

/** A listener on `::` alone takes IPv4 as well. */
function capturePort({ listen }: CaptureConfig, family: Family): number | undefined {
  const isV6 = (host: string): boolean => host.includes(":");
  const own = listen.find(({ host }) => isV6(host) === (family === "ipv6"));
  const dual = family === "ipv4" ? listen.find(({ host }) => host === "::") : undefined;
  return (own ?? dual)?.port;
}

function redirectTable(
  family: Family,
  port: number,
  from: readonly string[],
  left: readonly string[],
): TableRules {
  const chain = chainName(RULES_OWNER);
  const bypass = [...LEFT_ALONE, ...left].flatMap((text) => normalizeCidr(text, family) ?? []);
  return {
    table: "nat",
    chains: [
      {
        name: chain,
        rules: [
          { destinationType: "LOCAL", target: "RETURN" },
          ...[...new Set(bypass)].map((destination): Rule => ({ destination, target: "RETURN" })),
          { protocol: "tcp", target: { redirectTo: port } },
        ],
      },
    ],
    jumps: from.map((inInterface) => ({ from: "PREROUTING", to: chain, inInterface, protocol: "tcp" })),
  };
}
