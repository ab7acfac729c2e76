/**
 * Rules as iptables-restore text, spelt and ordered exactly as iptables-save prints them. That is
 * how an identical rule set is known to be in place. (Where a version spells something differently,
 * the rules are merely put in place once more.)
 */

import { isEverything, normalizeCidr } from "./cidr.ts";
import { ownerTag } from "./ownership.ts";
import {
  type Chain,
  Family,
  type Jump,
  type Match,
  type Rule,
  type RuleSet,
  type TableRules,
  type Target,
} from "./types.ts";
import { validateRuleSet } from "./validate.ts";

/**
 * What puts the rule set into an empty firewall, for `iptables-restore --noflush`; empty when the
 * rule set has nothing for the family. To change what may already be there use `planApply`.
 */
export function renderRestore(ruleSet: RuleSet, family: Family): string {
  validateRuleSet(ruleSet);
  const tables = (ruleSet[family] ?? []).map((table) =>
    transaction(table.table, [
      ...declareChains(table),
      ...table.chains.flatMap((chain) => renderChain(chain, family)),
      ...renderJumps(table, ruleSet.owner, family).map((jump) => jump.insert),
    ]),
  );
  return tables.join("");
}

/** One table's lines; the kernel takes all of them or none. */
export function transaction(table: string, lines: readonly string[]): string {
  return [`*${table}`, ...lines, "COMMIT", ""].join("\n");
}

/** With --noflush this makes the chain, or empties the one that is there. */
export function declareChains(table: TableRules): string[] {
  return table.chains.map((chain) => `:${chain.name} - [0:0]`);
}

export function renderChain(chain: Chain, family: Family): string[] {
  return chain.rules.map((rule) => `-A ${chain.name} ${renderRule(rule, family)}`);
}

export interface RenderedJump {
  /** As iptables-save will show it. */
  readonly saved: string;
  /** As it is put in place. */
  readonly insert: string;
}

/** The jumps in the order in which they end up standing: within a builtin chain, the first ones first. */
export function renderJumps(table: TableRules, owner: string, family: Family): RenderedJump[] {
  const first = table.jumps.filter((jump) => jump.position !== "last");
  const last = table.jumps.filter((jump) => jump.position === "last");
  const places = new Map<string, number>();
  const inserted = first.map((jump) => {
    const place = (places.get(jump.from) ?? 0) + 1;
    places.set(jump.from, place);
    const spec = renderJump(jump, owner, family);
    return { saved: `-A ${jump.from} ${spec}`, insert: `-I ${jump.from} ${place} ${spec}` };
  });
  const appended = last.map((jump) => {
    const line = `-A ${jump.from} ${renderJump(jump, owner, family)}`;
    return { saved: line, insert: line };
  });
  return [...inserted, ...appended];
}

function renderJump(jump: Jump, owner: string, family: Family): string {
  return [...renderMatch(jump, family), ...renderComment(ownerTag(owner)), "-j", jump.to].join(" ");
}

function renderRule(rule: Rule, family: Family): string {
  const comment = rule.comment === undefined ? [] : renderComment(rule.comment);
  return [...renderMatch(rule, family), ...comment, ...renderTarget(rule.target)].join(" ");
}

function renderMatch(match: Match, family: Family): string[] {
  const { protocol, destinationType, mark, connectionState, destinationSet } = match;
  const protocolName = protocol === "icmp" && family === Family.ipv6 ? "ipv6-icmp" : protocol;
  return [
    ...renderCidr("-s", match.source, family),
    ...renderCidr("-d", match.destination, family),
    ...option("-i", match.inInterface),
    ...option("-o", match.outInterface),
    ...option("-p", protocolName),
    ...renderTransport(match),
    ...(destinationType === undefined ? [] : ["-m", "addrtype", "--dst-type", destinationType]),
    ...(mark === undefined ? [] : ["-m", "mark", "--mark", renderMark(mark)]),
    ...(connectionState === undefined ? [] : ["-m", "conntrack", "--ctstate", connectionState]),
    ...(destinationSet === undefined ? [] : ["-m", "set", "--match-set", destinationSet, "dst,dst"]),
  ];
}

/** What is matched in the headers of TCP and UDP. */
function renderTransport({ protocol, destinationPort, syn }: Match): string[] {
  const options = [
    ...(destinationPort === undefined ? [] : ["--dport", renderPort(destinationPort)]),
    ...(syn === true ? ["--tcp-flags", "FIN,SYN,RST,ACK", "SYN"] : []),
  ];
  return options.length === 0 ? [] : ["-m", `${protocol}`, ...options];
}

function option(name: string, value: string | undefined): string[] {
  return value === undefined ? [] : [name, value];
}

function renderCidr(name: string, cidr: string | undefined, family: Family): string[] {
  const normal = cidr === undefined ? undefined : normalizeCidr(cidr, family);
  return normal === undefined || isEverything(normal) ? [] : [name, normal];
}

function renderPort(port: NonNullable<Match["destinationPort"]>): string {
  if (typeof port === "number") return `${port}`;
  return port.from === port.to ? `${port.from}` : `${port.from}:${port.to}`;
}

function renderMark(mark: NonNullable<Match["mark"]>): string {
  const value = `0x${mark.value.toString(16)}`;
  return mark.mask === undefined || mark.mask === 0xffff_ffff
    ? value
    : `${value}/0x${mark.mask.toString(16)}`;
}

/** Comments with quotes, backslashes or line ends do not pass validation. */
function renderComment(comment: string): string[] {
  return ["-m", "comment", "--comment", `"${comment}"`];
}

function renderTarget(target: Target): string[] {
  if (typeof target === "string") return ["-j", target];
  if ("redirectTo" in target) return ["-j", "REDIRECT", "--to-ports", `${target.redirectTo}`];
  if ("rejectWith" in target) return ["-j", "REJECT", "--reject-with", target.rejectWith];
  return ["-j", target.jump];
}
