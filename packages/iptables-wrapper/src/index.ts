/** iptables rule sets as data: rendered, put in place, found again and removed. */

export { normalizeCidr } from "./cidr.ts";
export { type RuleCounter, readCounters } from "./counters.ts";
export { IptablesError, IptablesErrorCode, RunnerExit } from "./errors.ts";
export {
  applyRules,
  clearRules,
  type FamilyOutcome,
  type FamilyState,
  type FirewallOptions,
  inspectRules,
} from "./firewall.ts";
export { chainName, MAX_CHAIN_NAME, ownerTag } from "./ownership.ts";
export { planApply, planClear } from "./plan.ts";
export { renderRestore } from "./render.ts";
export { type Runner, type RunResult, type SystemRunnerOptions, systemRunner } from "./runner.ts";
export { parseSave, type SavedRule, type SavedTable } from "./save.ts";
export {
  type BuiltinChain,
  type Chain,
  FAMILIES,
  Family,
  type Jump,
  type Match,
  type Rule,
  type RuleSet,
  type TableName,
  type TableRules,
  type Target,
} from "./types.ts";
export { validateRuleSet } from "./validate.ts";
