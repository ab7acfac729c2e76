/** How a table in the kernel differs from the one that is wanted. */

import { overtakerOf } from "./overtaking.ts";
import { isOwnChain, taggedRules } from "./ownership.ts";
import { type RenderedJump, renderChain, renderJumps } from "./render.ts";
import { parseRuleLine, type SavedRule, type SavedTable, sameRule } from "./save.ts";
import type { Family, TableRules } from "./types.ts";

export interface Comparison {
  /** As they are wanted. */
  readonly jumps: readonly RenderedJump[];
  /** They are in place, and nothing stands before them that takes what they are to get. */
  readonly jumpsStand: boolean;
  /** Own chains that are no longer wanted. */
  readonly stale: readonly string[];
  /** What is amiss, for people; empty when all is as it is wanted. */
  readonly differences: readonly string[];
}

export function compareTable(
  saved: SavedTable,
  wanted: TableRules,
  owner: string,
  family: Family,
): Comparison {
  const jumps = renderJumps(wanted, owner, family);
  const stale = staleChains(saved, wanted, owner);
  const jumpDifferences = compareJumps(saved, wanted, jumps, owner);
  const differences = [
    ...compareChains(saved, wanted, family),
    ...stale.map((chain) => `the chain ${chain} is not wanted`),
    ...jumpDifferences,
  ];
  return {
    jumps,
    jumpsStand: jumpDifferences.length === 0,
    stale,
    differences: differences.map((text) => `${wanted.table}: ${text}`),
  };
}

function compareChains(saved: SavedTable, wanted: TableRules, family: Family): string[] {
  return wanted.chains.flatMap((chain) => {
    if (!saved.chains.includes(chain.name)) return [`the chain ${chain.name} is missing`];
    const rules = saved.rules.filter((rule) => rule.chain === chain.name);
    return sameRules(rules, parseLines(renderChain(chain, family)))
      ? []
      : [`the chain ${chain.name} has other rules`];
  });
}

function staleChains(saved: SavedTable, wanted: TableRules, owner: string): string[] {
  const names = new Set(wanted.chains.map((chain) => chain.name));
  return saved.chains.filter((chain) => isOwnChain(owner, chain) && !names.has(chain));
}

function compareJumps(
  saved: SavedTable,
  wanted: TableRules,
  jumps: readonly RenderedJump[],
  owner: string,
): string[] {
  const there = taggedRules(owner, saved);
  const rules = parseLines(jumps.map((jump) => jump.saved));
  if (!sameRules(there, rules)) return missingJumps(there, rules);
  const overtakers = wanted.jumps
    .filter(({ position }) => position !== "last")
    .flatMap((jump, i) => {
      const taker = rules[i] && overtakerOf(saved, jump, rules[i], owner);
      return taker ? [`"-A ${taker.chain} ${taker.spec}" stands before the jump from ${jump.from}`] : [];
    });
  return [...new Set(overtakers)];
}

function missingJumps(there: readonly SavedRule[], wanted: readonly SavedRule[]): string[] {
  const missing = wanted.filter((rule) => !there.some((other) => sameRule(other, rule)));
  const chains = [...new Set(missing.map(({ chain }) => chain))];
  const told = chains.map((chain) => {
    const count = missing.filter((rule) => rule.chain === chain).length;
    return count === 1 ? `a jump from ${chain} is missing` : `${count} jumps from ${chain} are missing`;
  });
  return told.length > 0 ? told : ["there are other jumps than wanted"];
}

function parseLines(lines: readonly string[]): SavedRule[] {
  return lines.flatMap((line) => parseRuleLine(line) ?? []);
}

/** The same rules; their order counts within a chain only, as each chain is saved apart. */
function sameRules(a: readonly SavedRule[], b: readonly SavedRule[]): boolean {
  const chains = new Set([...a, ...b].map((rule) => rule.chain));
  return [...chains].every((chain) => {
    const left = a.filter((rule) => rule.chain === chain);
    const right = b.filter((rule) => rule.chain === chain);
    return (
      left.length === right.length &&
      left.every((rule, i) => right[i] !== undefined && sameRule(rule, right[i]))
    );
  });
}
