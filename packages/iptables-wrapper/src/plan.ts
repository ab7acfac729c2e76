/**
 * From what is in place (iptables-save) and what is wanted to the iptables-restore text in between.
 * The plan is made from the firewall itself, not from memory, so it also takes away what a crashed
 * run or an earlier configuration left. An empty text means that there is nothing to do.
 */

import { compareTable } from "./compare.ts";
import { isOwnChain, jumpTarget, taggedRules } from "./ownership.ts";
import { declareChains, renderChain, transaction } from "./render.ts";
import { parseSave, type SavedRule, type SavedTable } from "./save.ts";
import type { Family, RuleSet, TableRules } from "./types.ts";
import { validateOwner, validateRuleSet } from "./validate.ts";

/** The text that makes the family's rules those of the rule set, one transaction per changed table. */
export function planApply(current: string, ruleSet: RuleSet, family: Family): string {
  validateRuleSet(ruleSet);
  const saved = parseSave(current);
  const wanted = ruleSet[family] ?? [];
  const unwanted = saved.filter((table) => !wanted.some(({ table: name }) => name === table.name));
  return [
    ...wanted.map((table) => planTable(findTable(saved, table.table), table, ruleSet.owner, family)),
    ...unwanted.map((table) => planTableClear(table, ruleSet.owner)),
  ].join("");
}

/** How the family's rules differ from the rule set, for people; empty when they are the same. */
export function findDifferences(current: string, ruleSet: RuleSet, family: Family): string[] {
  validateRuleSet(ruleSet);
  const saved = parseSave(current);
  const wanted = ruleSet[family] ?? [];
  const unwanted = saved.filter((table) => !wanted.some(({ table: name }) => name === table.name));
  return [
    ...wanted.flatMap(
      (table) => compareTable(findTable(saved, table.table), table, ruleSet.owner, family).differences,
    ),
    ...unwanted.flatMap((table) =>
      planTableClear(table, ruleSet.owner) ? [`${table.name}: nothing is wanted here`] : [],
    ),
  ];
}

/** The text that takes away all that belongs to the owner, in every table. */
export function planClear(current: string, owner: string): string {
  validateOwner(owner);
  return parseSave(current)
    .map((table) => planTableClear(table, owner))
    .join("");
}

function findTable(saved: readonly SavedTable[], name: string): SavedTable {
  return saved.find((table) => table.name === name) ?? { name, chains: [], rules: [] };
}

function planTable(saved: SavedTable, wanted: TableRules, owner: string, family: Family): string {
  const { jumps, jumpsStand, stale, differences } = compareTable(saved, wanted, owner, family);
  if (differences.length === 0) return "";
  // Jumps that are right are left where they are, as others may count on the order.
  const removed = jumpsStand ? [] : taggedRules(owner, saved);
  return transaction(wanted.table, [
    ...declareChains(wanted),
    ...deleteRules([...removed, ...jumpsInto(saved, stale, owner, removed)]),
    ...deleteChains(stale),
    ...wanted.chains.flatMap((chain) => renderChain(chain, family)),
    ...(jumpsStand ? [] : jumps.map((jump) => jump.insert)),
  ]);
}

function planTableClear(saved: SavedTable, owner: string): string {
  const chains = saved.chains.filter((chain) => isOwnChain(owner, chain));
  const tagged = taggedRules(owner, saved);
  const lines = [
    ...deleteRules([...tagged, ...jumpsInto(saved, chains, owner, tagged)]),
    ...deleteChains(chains),
  ];
  return lines.length === 0 ? "" : transaction(saved.name, lines);
}

/** Jumps that somebody else made into chains that are to go: a chain that is referred to cannot be deleted. */
function jumpsInto(
  saved: SavedTable,
  chains: readonly string[],
  owner: string,
  except: SavedRule[],
): SavedRule[] {
  return saved.rules.filter(
    (rule) =>
      !isOwnChain(owner, rule.chain) && !except.includes(rule) && chains.includes(jumpTarget(rule) ?? ""),
  );
}

function deleteRules(rules: readonly SavedRule[]): string[] {
  return rules.map((rule) => `-D ${rule.chain} ${rule.spec}`);
}

/** All are emptied before the first is deleted, as they may jump to each other. */
function deleteChains(chains: readonly string[]): string[] {
  return [...chains.map((chain) => `-F ${chain}`), ...chains.map((chain) => `-X ${chain}`)];
}
