/**
 * iptables rule sets as data: rendered, put in place, found again and removed.
 *
 * ```ts
 * const runner = systemRunner();
 * await applyRules(runner, { owner: "HAWSER", ipv4: [{ table: "nat", chains, jumps }] });
 * await clearRules(runner, "HAWSER");
 * ```
 */

export { normalizeCidr } from "./cidr.ts";
export { readCounters } from "./counters.ts";
export { IptablesError, IptablesErrorCode, RunnerExit } from "./errors.ts";
export {
  applyRules,
  clearRules,
  type FamilyOutcome,
  type FamilyState,
  inspectRules,
} from "./firewall.ts";
export { chainName } from "./ownership.ts";
export { renderRestore } from "./render.ts";
export { type Runner, systemRunner } from "./runner.ts";
export { parseSave, type SavedRule, type SavedTable } from "./save.ts";
export {
  type BuiltinChain,
  FAMILIES,
  Family,
  type Jump,
  type Match,
  type Rule,
  type RuleSet,
  type TableRules,
} from "./types.ts";
