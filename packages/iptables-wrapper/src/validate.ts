/**
 * Checks a rule set before any of it becomes text. What passes contains no character that means
 * something to iptables-restore, so no value can become another option, line or table.
 */

import { normalizeCidr } from "./cidr.ts";
import { IptablesError, IptablesErrorCode } from "./errors.ts";
import { isOwnChain, MAX_CHAIN_NAME } from "./ownership.ts";
import {
  type BuiltinChain,
  FAMILIES,
  Family,
  type Jump,
  type Match,
  type Rule,
  type RuleSet,
  type TableName,
  type TableRules,
} from "./types.ts";

const BUILTIN_CHAINS: Record<TableName, readonly BuiltinChain[]> = {
  filter: ["INPUT", "FORWARD", "OUTPUT"],
  nat: ["PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"],
  mangle: ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"],
  raw: ["PREROUTING", "OUTPUT"],
};

const REJECT_TYPES: Record<Family, readonly string[]> = {
  ipv4: [
    "icmp-net-unreachable",
    "icmp-host-unreachable",
    "icmp-port-unreachable",
    "icmp-proto-unreachable",
    "icmp-net-prohibited",
    "icmp-host-prohibited",
    "icmp-admin-prohibited",
    "tcp-reset",
  ],
  ipv6: [
    "icmp6-no-route",
    "icmp6-adm-prohibited",
    "icmp6-addr-unreachable",
    "icmp6-port-unreachable",
    "tcp-reset",
  ],
};

const PROTOCOLS: readonly unknown[] = ["tcp", "udp", "icmp"];
const DESTINATION_TYPES: readonly unknown[] = ["LOCAL", "BROADCAST", "MULTICAST", "UNICAST"];
const CONNECTION_STATES: readonly unknown[] = ["NEW", "ESTABLISHED", "RELATED", "INVALID", "DNAT", "SNAT"];
/** IPSET_MAXNAMELEN of the kernel, without the closing zero. */
const MAX_SET_NAME = 31;
const PLAIN_TARGETS: readonly unknown[] = ["RETURN", "ACCEPT", "DROP", "MASQUERADE"];
/** Names that mean a target or a builtin chain, so no chain may be called so. */
const RESERVED = new Set(
  "PREROUTING INPUT FORWARD OUTPUT POSTROUTING ACCEPT DROP QUEUE RETURN REJECT REDIRECT MASQUERADE DNAT SNAT LOG MARK".split(
    " ",
  ),
);

/** Throws an IptablesError whose message starts with the place: `ipv4.nat.HAWSER[3].destination: ...`. */
export function validateRuleSet(ruleSet: RuleSet): void {
  validateOwner(ruleSet.owner);
  for (const family of FAMILIES) {
    const seen = new Set<string>();
    for (const table of ruleSet[family] ?? []) {
      const at = `${family}.${table.table}`;
      check(Object.hasOwn(BUILTIN_CHAINS, table.table), at, "there is no such table");
      check(!seen.has(table.table), at, "the table is given twice");
      seen.add(table.table);
      validateTable(table, ruleSet.owner, family, at);
    }
  }
}

export function validateOwner(owner: string): void {
  const wellFormed = /^[A-Za-z][A-Za-z0-9_-]*$/.test(owner);
  check(wellFormed, "owner", `${show(owner)} is not a letter followed by letters, digits, _ and -`);
  check(
    owner.length <= MAX_CHAIN_NAME,
    "owner",
    `${show(owner)} is longer than ${MAX_CHAIN_NAME} characters`,
  );
  check(!RESERVED.has(owner), "owner", `${show(owner)} is a name that iptables itself uses`);
}

function validateTable(table: TableRules, owner: string, family: Family, at: string): void {
  const names = table.chains.map((chain) => chain.name);
  for (const [i, name] of names.entries()) {
    const place = `${at}.chains[${i}].name`;
    const wellFormed = isOwnChain(owner, name) && /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)?$/.test(name);
    check(wellFormed, place, `${show(name)} is neither ${owner} nor ${owner}. and letters, digits, _ and -`);
    check(name.length <= MAX_CHAIN_NAME, place, `${show(name)} is longer than ${MAX_CHAIN_NAME} characters`);
    check(names.indexOf(name) === i, place, `${show(name)} is given twice`);
  }
  for (const chain of table.chains) {
    for (const [i, rule] of chain.rules.entries()) {
      const place = `${at}.${chain.name}[${i}]`;
      validateMatch(rule, family, place);
      validateComment(rule.comment, `${place}.comment`);
      validateTarget(rule, table, family, `${place}.target`);
    }
  }
  for (const [i, jump] of table.jumps.entries()) validateJump(jump, table, family, `${at}.jumps[${i}]`);
}

function validateJump(jump: Jump, table: TableRules, family: Family, at: string): void {
  const known = BUILTIN_CHAINS[table.table].includes(jump.from);
  check(known, `${at}.from`, `${show(jump.from)} is no builtin chain of the table ${table.table}`);
  checkJumpTarget(jump.to, table, `${at}.to`);
  check([undefined, "first", "last"].includes(jump.position), `${at}.position`, "is neither first nor last");
  validateMatch(jump, family, at);
  const outgoing = jump.from === "OUTPUT" || jump.from === "POSTROUTING";
  check(!outgoing || jump.inInterface === undefined, `${at}.inInterface`, `is not known in ${jump.from}`);
  const incoming = jump.from === "PREROUTING" || jump.from === "INPUT";
  check(!incoming || jump.outInterface === undefined, `${at}.outInterface`, `is not known in ${jump.from}`);
}

function validateMatch(match: Match, family: Family, at: string): void {
  for (const key of ["source", "destination"] as const) {
    const cidr = match[key];
    const valid = cidr === undefined || normalizeCidr(cidr, family) !== undefined;
    check(
      valid,
      `${at}.${key}`,
      `${show(cidr)} is no ${family === Family.ipv4 ? "IPv4" : "IPv6"} address or CIDR`,
    );
  }
  for (const key of ["inInterface", "outInterface"] as const) {
    const name = match[key];
    const valid = name === undefined || isInterface(name);
    check(
      valid,
      `${at}.${key}`,
      `${show(name)} is no interface name (1 to 15 of A-Z a-z 0-9 . _ @ -, may end in +)`,
    );
  }
  const { protocol, destinationType, mark } = match;
  check(
    protocol === undefined || PROTOCOLS.includes(protocol),
    `${at}.protocol`,
    `${show(protocol)} is unknown`,
  );
  const typeKnown = destinationType === undefined || DESTINATION_TYPES.includes(destinationType);
  check(typeKnown, `${at}.destinationType`, `${show(destinationType)} is unknown`);
  validateDestinationPort(match, `${at}.destinationPort`);
  validateConnection(match, at);
  if (mark === undefined) return;
  const mask = mark.mask ?? 0xffff_ffff;
  check(
    isUint32(mark.value) && isUint32(mask),
    `${at}.mark`,
    "value and mask are not whole numbers of 32 bits",
  );
  check((mark.value & ~mask) === 0, `${at}.mark`, "the value has bits outside the mask, so it never matches");
}

function validateDestinationPort({ destinationPort: port, protocol }: Match, at: string): void {
  if (port === undefined) return;
  const { from, to } = typeof port === "number" ? { from: port, to: port } : port;
  check(
    isPort(from) && isPort(to) && from <= to,
    at,
    `${show(port)} is no port (1 to 65535) or range of ports`,
  );
  check(protocol === "tcp" || protocol === "udp", at, "needs protocol tcp or udp");
}

function validateConnection(
  { protocol, syn, connectionState: state, destinationSet }: Match,
  at: string,
): void {
  check(syn !== true || protocol === "tcp", `${at}.syn`, "needs protocol tcp");
  const stateKnown = state === undefined || CONNECTION_STATES.includes(state);
  check(stateKnown, `${at}.connectionState`, `${show(state)} is unknown`);
  if (destinationSet === undefined) return;
  const wellFormed =
    destinationSet.length <= MAX_SET_NAME && /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(destinationSet);
  const what = `is no name of a set (1 to ${MAX_SET_NAME} of A-Z a-z 0-9 _ . -)`;
  check(wellFormed, `${at}.destinationSet`, `${show(destinationSet)} ${what}`);
  check(protocol === "tcp" || protocol === "udp", `${at}.destinationSet`, "needs protocol tcp or udp");
}

function validateComment(comment: string | undefined, at: string): void {
  if (comment === undefined) return;
  const valid = /^[\x20-\x7e]{1,255}$/.test(comment) && !/["\\]/.test(comment);
  check(valid, at, `${show(comment)} is not 1 to 255 printable ASCII characters without " and \\`);
  check(!comment.startsWith("managed-by:"), at, "managed-by: marks jumps; a rule may not carry it");
}

function validateTarget(rule: Rule, table: TableRules, family: Family, at: string): void {
  const { target, protocol } = rule;
  const onlyIn = (name: TableName, what: string) =>
    check(table.table === name, at, `${what} works in the table ${name} only`);
  if (typeof target === "string") {
    check(PLAIN_TARGETS.includes(target), at, `${show(target)} is unknown`);
    if (target === "MASQUERADE") onlyIn("nat", "MASQUERADE");
  } else if ("redirectTo" in target) {
    onlyIn("nat", "REDIRECT");
    check(isPort(target.redirectTo), at, `${show(target.redirectTo)} is no port (1 to 65535)`);
    check(protocol === "tcp" || protocol === "udp", at, "REDIRECT to a port needs protocol tcp or udp");
  } else if ("rejectWith" in target) {
    onlyIn("filter", "REJECT");
    const types = REJECT_TYPES[family];
    check(types.includes(target.rejectWith), at, `${show(target.rejectWith)} is none of ${types.join(", ")}`);
    check(target.rejectWith !== "tcp-reset" || protocol === "tcp", at, "tcp-reset needs protocol tcp");
  } else {
    checkJumpTarget(target.jump, table, at);
  }
}

function checkJumpTarget(chain: string, table: TableRules, at: string): void {
  const known = table.chains.some(({ name }) => name === chain);
  check(known, at, `${show(chain)} is no chain of this rule set in the table ${table.table}`);
}

/** Narrower than the kernel, which forbids little: no leading `-` or `!`, nothing that needs quotes. */
function isInterface(name: string): boolean {
  return (
    name.length <= 15 && /^[A-Za-z0-9_.@][A-Za-z0-9_.@-]*\+?$/.test(name) && name !== "." && name !== ".."
  );
}

function isPort(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= 0xffff;
}

function isUint32(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff;
}

function show(value: unknown): string {
  return JSON.stringify(value) ?? "undefined";
}

function check(condition: boolean, at: string, what: string): void {
  if (!condition) throw new IptablesError(IptablesErrorCode.rulesInvalid, `${at}: ${what}`);
}
