/** By what marks the chains and rules of an owner are known. */

import type { SavedRule, SavedTable } from "./save.ts";

/** The kernel's limit on chain names. */
export const MAX_CHAIN_NAME = 28;

/** An own chain: `HAWSER`, or with a suffix `HAWSER.bypass`. */
export function chainName(owner: string, suffix?: string): string {
  return suffix === undefined ? owner : `${owner}.${suffix}`;
}

/** The comment on every jump. */
export function ownerTag(owner: string): string {
  return `managed-by:${owner}`;
}

/** A dot cannot be part of an owner's name, so `HAWSER` never takes the chains of `HAWSER-home`. */
export function isOwnChain(owner: string, chain: string): boolean {
  return chain === owner || chain.startsWith(`${owner}.`);
}

/** The rules outside the own chains that carry the owner's tag. */
export function taggedRules(owner: string, table: SavedTable): SavedRule[] {
  const tag = ownerTag(owner);
  return table.rules.filter(
    (rule) => !isOwnChain(owner, rule.chain) && optionValue(rule, "--comment") === tag,
  );
}

/** Where the rule jumps to. */
export function jumpTarget(rule: SavedRule): string | undefined {
  return optionValue(rule, "-j") ?? optionValue(rule, "-g");
}

function optionValue(rule: SavedRule, option: string): string | undefined {
  // A quoted comment may read like an option.
  const at = rule.tokens.findIndex((token) => !token.quoted && token.text === option);
  return at < 0 ? undefined : rule.tokens[at + 1]?.text;
}
