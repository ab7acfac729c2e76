import { formatCidr } from "@hawser/gateway-kit/config";
import { SPECIAL_RANGES } from "@hawser/linux-sockets";
import {
  type BuiltinChain,
  chainName,
  type Family,
  type Jump,
  type Match,
  normalizeCidr,
  type Rule,
  type RuleSet,
  type TableRules,
} from "iptables-wrapper";
import type { CaptureConfig } from "../config.ts";

/**
 * The firewall rules that capture, for each family that has a listener:
 *
 * ```
 *  TCP of the LAN -- nat PREROUTING: HAWSER --(redirected)-- filter INPUT: HAWSER.accept --> the listener
 *                                       '---(not)--.
 *  UDP of the LAN ----------------------------------'--- filter FORWARD: HAWSER.refuse --> an error, or past Hawser
 * ```
 */

/** The tag of every rule that this gateway puts into the firewall. */
export const RULES_OWNER = "HAWSER";

const REDIRECT = chainName(RULES_OWNER);
const ACCEPT = chainName(RULES_OWNER, "accept");
const REFUSE = chainName(RULES_OWNER, "refuse");

/** The UDP port of QUIC. */
const QUIC_PORT = 443;
const PORT_UNREACHABLE: Readonly<Record<Family, string>> = {
  ipv4: "icmp-port-unreachable",
  ipv6: "icmp6-port-unreachable",
};

/** How a destination failed. Each way has a set in the kernel for each family (failure-sets.ts). */
export const FAILURES = ["refused", "unreachable"] as const;
export type Failure = (typeof FAILURES)[number];

/** The error that a client gets which tries such a destination again. */
const FAILURE_ANSWERS: Readonly<Record<Failure, Record<Family, string>>> = {
  refused: { ipv4: "tcp-reset", ipv6: "tcp-reset" },
  unreachable: { ipv4: "icmp-host-unreachable", ipv6: "icmp6-addr-unreachable" },
};

/** The name of the set of such destinations in the kernel. */
export function failureSet(failure: Failure, family: Family): string {
  return chainName(RULES_OWNER, `${failure}.${family}`);
}

/**
 * Destinations that are never captured, because the remote gateway would not dial them: a home's own networks and its
 * provider's, for example. Other rules leave the machine's own addresses and the remote gateway's addresses alone.
 */
const LEFT_ALONE = SPECIAL_RANGES.flatMap(([, ...ranges]) => ranges);

/** Everything that the rules depend on. */
export interface CaptureState {
  readonly capture: CaptureConfig;
  /**
   * Further destinations that are left alone: the remote gateway's addresses, and prefixes that are routed over no line.
   */
  readonly left: readonly string[];
  /** The address families in which the remote gateway reaches the Internet. */
  readonly wayOut: Readonly<Record<Family, boolean>>;
  /** Whether the kernel has the sets of failed destinations. */
  readonly hasSets: boolean;
}

/** The families that a remote gateway is taken to reach until it says otherwise. */
export const EVERY_WAY_OUT: CaptureState["wayOut"] = { ipv4: true, ipv6: true };

/** A kind of packets some of which are refused. */
interface Refused {
  readonly packets: Match;
  /** Which packets are refused, and with which error. */
  readonly rules: readonly Rule[];
}

/** The rules while the gateway captures. A family without a listener has none. */
export function redirectRules(state: CaptureState): RuleSet {
  return ruleSet(state, (family, port) => [
    redirectTable(family, port, state, state.wayOut[family]),
    filterTable(family, port, state, [...refusedQuic(family, state), ...refusedTcp(family, state)]),
  ]);
}

/**
 * The rules that stay after capturing, until the last captured flow has ended. They redirect and refuse nothing new. The
 * chain with REDIRECT stays for connection tracking: the kernel stops tracking with the last rule that needs it, and then
 * the packets of open flows would no longer reach the listener. HAWSER.accept stays for firewalls that accept nothing else.
 */
export function drainingRules(state: CaptureState): RuleSet {
  return ruleSet(state, (family, port) => [
    redirectTable(family, port, state, false),
    filterTable(family, port, state, []),
  ]);
}

function ruleSet({ capture }: CaptureState, tables: (family: Family, port: number) => TableRules[]): RuleSet {
  const rules = (family: Family): TableRules[] => {
    const port = capturePort(capture, family);
    return port === undefined ? [] : tables(family, port);
  };
  return { owner: RULES_OWNER, ipv4: rules("ipv4"), ipv6: rules("ipv6") };
}

/** A listener on `::` takes IPv4, too, when there is no IPv4 listener. */
export function capturePort({ listen }: CaptureConfig, family: Family): number | undefined {
  const isV6 = (host: string): boolean => host.includes(":");
  const own = listen.find(({ host }) => isV6(host) === (family === "ipv6"));
  const dual = family === "ipv4" ? listen.find(({ host }) => host === "::") : undefined;
  return (own ?? dual)?.port;
}

function redirectTable(family: Family, port: number, state: CaptureState, isCapturing: boolean): TableRules {
  const local: Rule = { destinationType: "LOCAL", target: "RETURN" };
  const redirect: Rule = { protocol: "tcp", target: { redirectTo: port } };
  return {
    table: "nat",
    chains: [
      {
        name: REDIRECT,
        rules: [local, ...exceptions(family, state), ...(isCapturing ? spared(family, state) : []), redirect],
      },
    ],
    jumps: isCapturing ? jumps(state, "PREROUTING", REDIRECT, { protocol: "tcp" }) : [],
  };
}

/**
 * Redirected packets pass the chain INPUT, where many firewalls drop everything that they do not know. The conntrack state
 * DNAT tells them from packets that somebody sends to the port directly.
 */
function filterTable(
  family: Family,
  port: number,
  state: CaptureState,
  refused: readonly Refused[],
): TableRules {
  const turned: Match = { protocol: "tcp", destinationPort: port, connectionState: "DNAT" };
  const rules = refused.flatMap((kind) => kind.rules);
  return {
    table: "filter",
    chains: [
      { name: ACCEPT, rules: [{ ...turned, target: "ACCEPT" }] },
      ...(rules.length === 0 ? [] : [{ name: REFUSE, rules: [...exceptions(family, state), ...rules] }]),
    ],
    jumps: [
      ...jumps(state, "INPUT", ACCEPT, { protocol: "tcp" }),
      // Only packets of a kind that may be refused pass through the rules of the exceptions.
      ...refused.flatMap(({ packets }) => jumps(state, "FORWARD", REFUSE, packets)),
    ],
  };
}

/** Rules before all others: packets to destinations that are left alone go on as without Hawser. */
function exceptions(family: Family, { capture, left }: CaptureState): Rule[] {
  const texts = [...LEFT_ALONE, ...capture.bypass.map(formatCidr), ...left];
  const cidrs = texts.flatMap((text) => normalizeCidr(text, family) ?? []);
  return [...new Set(cidrs)].map((destination): Rule => ({ destination, target: "RETURN" }));
}

/** A browser whose QUIC is refused goes on with TCP at once, and TCP is captured. */
function refusedQuic(family: Family, { capture }: CaptureState): Refused[] {
  if (capture.quic === "pass") return [];
  const packets: Match = { protocol: "udp", destinationPort: QUIC_PORT };
  return [{ packets, rules: [{ ...packets, target: { rejectWith: PORT_UNREACHABLE[family] } }] }];
}

/**
 * Refuses TCP of a family in which the remote gateway does not reach the Internet. A redirected connection would look open
 * to the client, which would not try the other family. It is refused by a reset, since the kernel limits ICMP errors to
 * each client: the seventh in a row waits for a second.
 */
function refusedTcp(family: Family, { wayOut, hasSets }: CaptureState): Refused[] {
  const packets: Match = { protocol: "tcp", syn: true };
  if (!wayOut[family]) return [{ packets, rules: [{ ...packets, target: { rejectWith: "tcp-reset" } }] }];
  if (!hasSets) return [];
  const rules = FAILURES.map((failure): Rule => {
    const target = { rejectWith: FAILURE_ANSWERS[failure][family] };
    return { ...packets, destinationSet: failureSet(failure, family), target };
  });
  return [{ packets, rules }];
}

/** Refuses connections to destinations that failed lately, instead of redirecting them. */
function spared(family: Family, { hasSets }: CaptureState): Rule[] {
  if (!hasSets) return [];
  return FAILURES.map(
    (failure): Rule => ({
      protocol: "tcp",
      destinationSet: failureSet(failure, family),
      target: "RETURN",
    }),
  );
}

/** The same rules for each captured interface. */
function jumps({ capture }: CaptureState, from: BuiltinChain, to: string, packets: Match): Jump[] {
  return capture.from.map((inInterface) => ({ from, to, inInterface, ...packets }));
}
