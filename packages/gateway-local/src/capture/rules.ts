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

/** All that the rules depend on. */
export interface CaptureState {
  readonly capture: CaptureConfig;
  /** Left alone besides: the remote gateway's addresses, and prefixes that the routing table sends over no line. */
  readonly left: readonly string[];
  /** Families in which the remote gateway has a way out. */
  readonly wayOut: Readonly<Record<Family, boolean>>;
}

/** What is taken for true of a remote gateway that has said nothing else. */
export const EVERY_WAY_OUT: CaptureState["wayOut"] = { ipv4: true, ipv6: true };

/** The rules that turn the LAN's TCP to the capture listener. A family without a listener gets none. */
export function redirectRules(state: CaptureState): RuleSet {
  return ruleSet(state, (family, port) => [redirectTable(family, port, state)]);
}

/**
 * What stays of them at the end of capturing, until the last flow has finished: nothing new is turned to the listener.
 * The chain stays: where it holds the last rule that needs connection tracking, the kernel would stop tracking without
 * it, and what was turned before would no longer arrive.
 */
export function drainingRules(state: CaptureState): RuleSet {
  return ruleSet(state, (family, port) => [{ ...redirectTable(family, port, state), jumps: [] }]);
}

function ruleSet({ capture }: CaptureState, tables: (family: Family, port: number) => TableRules[]): RuleSet {
  const rules = (family: Family): TableRules[] => {
    const port = capturePort(capture, family);
    return port === undefined ? [] : tables(family, port);
  };
  return { owner: RULES_OWNER, ipv4: rules("ipv4"), ipv6: rules("ipv6") };
}

/** A listener on `::` alone takes IPv4 as well. */
function capturePort({ listen }: CaptureConfig, family: Family): number | undefined {
  const isV6 = (host: string): boolean => host.includes(":");
  const own = listen.find(({ host }) => isV6(host) === (family === "ipv6"));
  const dual = family === "ipv4" ? listen.find(({ host }) => host === "::") : undefined;
  return (own ?? dual)?.port;
}

function redirectTable(family: Family, port: number, { capture, left }: CaptureState): TableRules {
  const chain = chainName(RULES_OWNER);
  const texts = [...LEFT_ALONE, ...capture.bypass.map(formatCidr), ...left];
  const bypass = texts.flatMap((text) => normalizeCidr(text, family) ?? []);
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
    jumps: capture.from.map((inInterface) => ({
      from: "PREROUTING",
      to: chain,
      inInterface,
      protocol: "tcp",
    })),
  };
}
