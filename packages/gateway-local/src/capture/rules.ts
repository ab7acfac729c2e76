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
 * The firewall rules of capturing, for each family that has a listener:
 *
 * ```
 *  TCP of the LAN -- nat PREROUTING: HAWSER --(turned)-- filter INPUT: HAWSER.accept --> the listener
 *                                       '---(not)--.
 *  UDP of the LAN ----------------------------------'--- filter FORWARD: HAWSER.refuse --> an error, or past Hawser
 * ```
 */

/** Tag of everything that this gateway puts into the firewall. */
export const RULES_OWNER = "HAWSER";

const REDIRECT = chainName(RULES_OWNER);
const ACCEPT = chainName(RULES_OWNER, "accept");
const REFUSE = chainName(RULES_OWNER, "refuse");

/** Where browsers speak QUIC. */
const QUIC_PORT = 443;
const PORT_UNREACHABLE: Readonly<Record<Family, string>> = {
  ipv4: "icmp-port-unreachable",
  ipv6: "icmp6-port-unreachable",
};

/** Destinations that failed lately, by how: they have a set in the kernel for each family (failed-destinations.ts). */
export const FAILURES = ["refused", "unreachable"] as const;
export type Failure = (typeof FAILURES)[number];

/** What a client is told that tries such a destination once more. */
const FAILURE_ANSWERS: Readonly<Record<Failure, Record<Family, string>>> = {
  refused: { ipv4: "tcp-reset", ipv6: "tcp-reset" },
  unreachable: { ipv4: "icmp-host-unreachable", ipv6: "icmp6-addr-unreachable" },
};

/** The name of a set in the kernel. */
export function failureSet(failure: Failure, family: Family): string {
  return chainName(RULES_OWNER, `${failure}.${family}`);
}

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
  /** Whether the kernel has the sets of destinations that failed lately. */
  readonly hasSets: boolean;
}

/** What is taken for true of a remote gateway that has said nothing else. */
export const EVERY_WAY_OUT: CaptureState["wayOut"] = { ipv4: true, ipv6: true };

/** A kind of packets of which some are refused. */
interface Refused {
  readonly packets: Match;
  /** Which of them, and how. */
  readonly rules: readonly Rule[];
}

/** The rules while the gateway captures. A family without a listener gets none. */
export function redirectRules(state: CaptureState): RuleSet {
  return ruleSet(state, (family, port) => [
    redirectTable(family, port, state, state.wayOut[family]),
    filterTable(family, port, state, [...refusedQuic(family, state), ...refusedTcp(family, state)]),
  ]);
}

/**
 * What stays of them at the end of capturing, until the last flow has finished: nothing new is turned to the listener or
 * refused. The chain with REDIRECT stays: where it holds the last rule that needs connection tracking, the kernel would
 * stop tracking without it, and what was turned before would no longer arrive. Nor would that without HAWSER.accept,
 * where the firewall accepts nothing else.
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

/** A listener on `::` alone takes IPv4 as well. */
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
 * What was turned to the listener arrives at INPUT, where many firewalls drop all that they were not told of. Its DNAT
 * state tells it from what somebody sends to the port by himself.
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
      // What cannot be refused is spared the way past all exceptions.
      ...refused.flatMap(({ packets }) => jumps(state, "FORWARD", REFUSE, packets)),
    ],
  };
}

/** Destinations that are left alone, in all that is done to others. */
function exceptions(family: Family, { capture, left }: CaptureState): Rule[] {
  const texts = [...LEFT_ALONE, ...capture.bypass.map(formatCidr), ...left];
  const cidrs = texts.flatMap((text) => normalizeCidr(text, family) ?? []);
  return [...new Set(cidrs)].map((destination): Rule => ({ destination, target: "RETURN" }));
}

/** Browsers whose QUIC is refused take TCP at once, which is captured. */
function refusedQuic(family: Family, { capture }: CaptureState): Refused[] {
  if (capture.quic === "pass") return [];
  const packets: Match = { protocol: "udp", destinationPort: QUIC_PORT };
  return [{ packets, rules: [{ ...packets, target: { rejectWith: PORT_UNREACHABLE[family] } }] }];
}

/**
 * Where the remote gateway has no way out in this family, a connection that was turned to the listener would look open,
 * and its client would not try the other family. A reset, as the kernel sends each client few ICMP errors: the seventh
 * in a row waits for a second.
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

/** Destinations that failed lately: what goes to them is not turned to the listener, but refused on its way past it. */
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

/** From each captured interface. */
function jumps({ capture }: CaptureState, from: BuiltinChain, to: string, packets: Match): Jump[] {
  return capture.from.map((inInterface) => ({ from, to, inInterface, ...packets }));
}
