/**
 * Rules of others that get before ours what ours are to get: a jump that is to be first is of no use behind
 * `-A PREROUTING -p tcp -j REDIRECT`. What others have for a part of it stays before ours: an exception for one client or
 * one destination is meant.
 */

import { isOwnChain, jumpTarget } from "./ownership.ts";
import { type SavedRule, type SavedTable, sameRule } from "./save.ts";
import type { Jump, TableName } from "./types.ts";

/** Where a packet's way through the table ends. `RETURN` ends it in a builtin chain alone. */
const ENDS: Record<TableName, readonly string[]> = {
  nat: ["REDIRECT", "DNAT", "ACCEPT"],
  filter: ["ACCEPT", "DROP", "REJECT"],
  mangle: ["ACCEPT", "DROP"],
  raw: ["ACCEPT", "DROP"],
};
/** These take it elsewhere, which is no exception even if it is for one port or one client. */
const ELSEWHERE: readonly string[] = ["REDIRECT", "DNAT"];
/** Options of a match that narrow nothing, and modules that such options are of. */
const WIDE_MODULES: readonly string[] = ["comment", "tcp", "udp"];
const PART_OPTIONS: readonly string[] = ["-s", "--dport", "--sport", "--dports"];
const PART_MODULES: readonly string[] = ["multiport"];

/** What a rule's match leaves of what a jump is to get: all, a part (by port or source), or nothing that counts. */
type Reach = "all" | "part" | "none";

/** The first rule that stands before the jump and takes what the jump is to get. `jumpRule` is as it was saved. */
export function overtakerOf(
  saved: SavedTable,
  jump: Jump,
  jumpRule: SavedRule,
  owner: string,
): SavedRule | undefined {
  const chain = saved.rules.filter((rule) => rule.chain === jump.from);
  const at = chain.findIndex((rule) => sameRule(rule, jumpRule));
  const before = chain.slice(0, at < 0 ? chain.length : at);
  const taker = new Taker(saved, jump, owner);
  return before.find((rule) => taker.takes(rule, "all", true));
}

class Taker {
  readonly #saved: SavedTable;
  readonly #jump: Jump;
  readonly #owner: string;
  readonly #entered = new Set<string>();

  constructor(saved: SavedTable, jump: Jump, owner: string) {
    this.#saved = saved;
    this.#jump = jump;
    this.#owner = owner;
  }

  /** `outer`: what gets to the rule's chain. */
  takes(rule: SavedRule, outer: Reach, isBuiltin: boolean): boolean {
    const target = jumpTarget(rule) ?? "";
    if (isOwnChain(this.#owner, target)) return false;
    const own = reachOf(rule, this.#jump);
    const reach = outer === "part" && own === "all" ? "part" : own;
    if (reach === "none") return false;
    if (this.#saved.chains.includes(target) && !this.#entered.has(target))
      return this.#chainTakes(target, reach);
    if (ELSEWHERE.includes(target)) return true;
    const ends =
      isBuiltin && target === "RETURN" ? true : ENDS[this.#saved.name as TableName]?.includes(target);
    return reach === "all" && (ends ?? false);
  }

  #chainTakes(chain: string, reach: Reach): boolean {
    this.#entered.add(chain);
    for (const rule of this.#saved.rules.filter((inner) => inner.chain === chain)) {
      if (this.takes(rule, reach, false)) return true;
      if (jumpTarget(rule) === "RETURN" && reachOf(rule, this.#jump) === "all") return false;
    }
    return false;
  }
}

function reachOf(rule: SavedRule, jump: Jump): Reach {
  let reach: Reach = "all";
  for (let at = 0; at < rule.tokens.length; at += 2) {
    const { text: option = "", quoted = false } = rule.tokens[at] ?? {};
    const value = rule.tokens[at + 1]?.text ?? "";
    if (!quoted && (option === "-j" || option === "-g")) break;
    const one = optionReach(option, value, jump);
    if (one === "none") return "none";
    if (one === "part") reach = "part";
  }
  return reach;
}

function optionReach(option: string, value: string, jump: Jump): Reach {
  if (option === "-i") return mayBeSame(value, jump.inInterface) ? "all" : "none";
  if (option === "-p") return jump.protocol === undefined || value === jump.protocol ? "all" : "none";
  if (option === "--comment" || (option === "-m" && WIDE_MODULES.includes(value))) return "all";
  const isPart = PART_OPTIONS.includes(option) || (option === "-m" && PART_MODULES.includes(value));
  // A destination, a state, a set, "not": whoever wrote it meant something else than everything.
  return isPart ? "part" : "none";
}

/** Names of interfaces, or prefixes that end in `+`. */
function mayBeSame(a: string, b: string | undefined): boolean {
  if (b === undefined) return true;
  const [prefixA, prefixB] = [a, b].map((name) => (name.endsWith("+") ? name.slice(0, -1) : undefined));
  if (prefixA !== undefined && prefixB !== undefined)
    return prefixA.startsWith(prefixB) || prefixB.startsWith(prefixA);
  if (prefixA !== undefined) return b.startsWith(prefixA);
  if (prefixB !== undefined) return a.startsWith(prefixB);
  return a === b;
}
