/** Reads the INPUT chain of iptables-save's filter table, as it concerns one packet. */

import { parseSave, type SavedRule, type SavedTable } from "iptables-wrapper";
import {
  all,
  type FilterChains,
  type FilterRule,
  isSo,
  type Match,
  not,
  type Verdict,
} from "./packet-fate.ts";
import { isFrom, isInterface, isPort, isTo, type RedirectedPacket } from "./redirected-packet.ts";

/** Undefined when there is no filter table, so that nothing drops the packet. */
export function iptablesInput(save: string, packet: RedirectedPacket): FilterChains | undefined {
  const table = parseSave(save).find(({ name }) => name === "filter");
  if (!table) return undefined;
  const rules = new Map<string, FilterRule[]>(table.chains.map((chain) => [chain, []]));
  for (const rule of table.rules) rules.get(rule.chain)?.push(read(rule, table, packet));
  const policy = /^\*filter\n[^*]*?^:INPUT (\w+)/m.exec(save)?.[1];
  return { rules, base: "INPUT", policy: policy === "DROP" ? "drop" : "accept" };
}

function read(rule: SavedRule, table: SavedTable, packet: RedirectedPacket): FilterRule {
  const text = `-A ${rule.chain} ${rule.spec}`;
  const words = rule.tokens.map((token) => token.text);
  const target = words.findIndex((word, i) => (word === "-j" || word === "-g") && !rule.tokens[i]?.quoted);
  const matches = matchesOf(target < 0 ? words : words.slice(0, target), packet);
  if (target < 0) return { matches, verdict: undefined, text };
  return { matches, verdict: verdictOf(words[target] as string, words[target + 1] ?? "", table), text };
}

/** Targets of iptables-extensions(8) after which the next rule is looked at. */
const GO_ON =
  /^(LOG|NFLOG|ULOG|AUDIT|TRACE|MARK|CONNMARK|SECMARK|CONNSECMARK|CLASSIFY|DSCP|TOS|TTL|HL|ECN|TCPMSS|TCPOPTSTRIP|SET|CT|NOTRACK|CHECKSUM|IDLETIMER|LED|RATEEST|TEE)$/;

function verdictOf(option: string, target: string, { chains }: SavedTable): Verdict | undefined {
  if (target === "ACCEPT") return { does: "accept" };
  if (target === "DROP" || target === "REJECT") return { does: "drop" };
  if (target === "RETURN") return { does: "return" };
  if (GO_ON.test(target)) return undefined;
  if (chains.includes(target)) return { does: option === "-g" ? "goto" : "jump", chain: target };
  return { does: "unknown" };
}

/** Modules whose options are read below. A rule with another module may match or not. */
const MODULES = new Set(["tcp", "udp", "conntrack", "state", "comment", "multiport", "addrtype"]);

function matchesOf(words: readonly string[], packet: RedirectedPacket): Match {
  const found: Match[] = [];
  let isNegated = false;
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as string;
    if (word === "!") isNegated = true;
    else {
      let end = i + 1;
      while (end < words.length && !/^(-{1,2}[a-z]|!$)/.test(words[end] as string)) end++;
      const match = matchOf(word, words.slice(i + 1, end), packet);
      found.push(isNegated ? not(match) : match);
      isNegated = false;
      i = end - 1;
    }
  }
  return all(found);
}

function matchOf(option: string, values: readonly string[], packet: RedirectedPacket): Match {
  const [value = "", second = ""] = values;
  const list = value.split(",");
  switch (option) {
    case "-i":
      return isInterface(packet, value);
    case "-p":
      return isSo(["tcp", "6", "all", "0"].includes(value));
    case "-s":
      return isFrom(packet, value);
    case "-d":
      return isTo(packet, value);
    case "-m":
      return MODULES.has(value) ? "yes" : "maybe";
    case "--dport":
    case "--dports":
      return isSo(list.some((each) => isPort(packet, each) === "yes"));
    case "--ctstate":
    case "--state":
      // REDIRECT is a kind of DNAT.
      return isSo(list.includes("NEW") || list.includes("DNAT"));
    case "--tcp-flags":
      return isSo((list.includes("SYN") ? "SYN" : "NONE") === second);
    case "--dst-type":
      return isSo(list.includes("LOCAL"));
    case "--comment":
    case "--syn":
      return "yes";
    case "-f":
      return "no";
    default:
      return "maybe";
  }
}
