/** Brings rule sets into the kernel and out of it: read what is there, plan, restore. */

import { IptablesError, IptablesErrorCode, toolError } from "./errors.ts";
import { isOwnChain, taggedRules } from "./ownership.ts";
import { findDifferences, planApply, planClear } from "./plan.ts";
import type { Runner } from "./runner.ts";
import { parseSave } from "./save.ts";
import { FAMILIES, Family, type RuleSet } from "./types.ts";
import { validateOwner, validateRuleSet } from "./validate.ts";

export interface FirewallOptions {
  /** Seconds to wait for the xtables lock. */
  readonly lockWaitSeconds?: number;
}

/** What was done for one family. `absent`: no tool or no kernel support, where nothing was wanted. */
export interface FamilyOutcome {
  readonly family: Family;
  readonly result: "changed" | "unchanged" | "absent";
}

/** `differs`: something of the owner is in place, but not exactly the rule set. */
export interface FamilyState {
  readonly family: Family;
  readonly state: "in-place" | "differs" | "missing" | "absent";
  /** What is amiss, for people. */
  readonly differences: readonly string[];
}

const DEFAULT_LOCK_WAIT_SECONDS = 5;
/** Rereads when somebody else changed the rules between the reading and the restoring. */
const ATTEMPTS = 3;

export const TOOLS: Record<Family, { save: string; restore: string }> = {
  ipv4: { save: "iptables-save", restore: "iptables-restore" },
  ipv6: { save: "ip6tables-save", restore: "ip6tables-restore" },
};

/**
 * Makes the kernel's rules those of the rule set; also removes what the owner had before. Each
 * table changes at once, but tables and families one after another: when it throws, part may be in
 * place, and `clearRules` takes that away.
 */
export async function applyRules(
  runner: Runner,
  ruleSet: RuleSet,
  options: FirewallOptions = {},
): Promise<FamilyOutcome[]> {
  validateRuleSet(ruleSet);
  const outcomes: FamilyOutcome[] = [];
  for (const family of FAMILIES) {
    const work = () => bringAbout(runner, family, (current) => planApply(current, ruleSet, family), options);
    const wanted = (ruleSet[family] ?? []).length > 0;
    outcomes.push({ family, result: wanted ? await work() : await unlessAbsent(work) });
  }
  return outcomes;
}

/** Removes all that belongs to the owner. That nothing is there, or that there is no iptables, is fine. */
export async function clearRules(
  runner: Runner,
  owner: string,
  options: FirewallOptions = {},
): Promise<FamilyOutcome[]> {
  validateOwner(owner);
  const outcomes: FamilyOutcome[] = [];
  const errors: unknown[] = [];
  for (const family of FAMILIES) {
    const work = () => bringAbout(runner, family, (current) => planClear(current, owner), options);
    // One family's failure is no reason to leave the other's rules in place.
    const result = await unlessAbsent(work).catch((error: unknown) => void errors.push(error));
    if (result) outcomes.push({ family, result });
  }
  if (errors.length > 0) throw errors[0];
  return outcomes;
}

/** Says whether the rule set is in place, changing nothing. */
export async function inspectRules(runner: Runner, ruleSet: RuleSet): Promise<FamilyState[]> {
  validateRuleSet(ruleSet);
  const states: FamilyState[] = [];
  for (const family of FAMILIES) {
    const wanted = (ruleSet[family] ?? []).length > 0;
    const look = async () => stateOf(await readRules(runner, family), ruleSet, family);
    const found = wanted ? await look() : await unlessAbsent(look);
    states.push(found === "absent" ? { family, state: found, differences: [] } : found);
  }
  return states;
}

function stateOf(current: string, ruleSet: RuleSet, family: Family): FamilyState {
  const differences = findDifferences(current, ruleSet, family);
  if (differences.length === 0) return { family, state: "in-place", differences };
  const { owner } = ruleSet;
  const anything = parseSave(current).some(
    (table) => table.chains.some((chain) => isOwnChain(owner, chain)) || taggedRules(owner, table).length > 0,
  );
  return { family, state: anything ? "differs" : "missing", differences };
}

/** Where nothing is wanted, a missing tool or kernel feature means that nothing can be there either. */
async function unlessAbsent<T>(work: () => Promise<T>): Promise<T | "absent"> {
  try {
    return await work();
  } catch (error) {
    const absent: readonly string[] = [IptablesErrorCode.toolMissing, IptablesErrorCode.kernelSupport];
    if (error instanceof IptablesError && absent.includes(error.code)) return "absent";
    throw error;
  }
}

async function bringAbout(
  runner: Runner,
  family: Family,
  plan: (current: string) => string,
  options: FirewallOptions,
): Promise<"changed" | "unchanged"> {
  let failure: { readonly input: string; readonly error: IptablesError } | undefined;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const input = plan(await readRules(runner, family));
    if (input === "") return attempt === 1 ? "unchanged" : "changed";
    // The same plan again would fail again: then it was not a race.
    if (failure && failure.input === input) break;
    const error = await restoreRules(runner, family, input, options);
    if (!error) return "changed";
    failure = { input, error };
    if (error.code !== IptablesErrorCode.failed) break;
  }
  throw failure?.error ?? new IptablesError(IptablesErrorCode.failed, "no attempt was made", { family });
}

async function readRules(runner: Runner, family: Family): Promise<string> {
  const { save } = TOOLS[family];
  const { code, stdout, stderr } = await runner.run(save, []);
  if (code !== 0) throw toolError(family, save, code, stderr);
  return stdout;
}

async function restoreRules(
  runner: Runner,
  family: Family,
  input: string,
  options: FirewallOptions,
): Promise<IptablesError | undefined> {
  const { restore } = TOOLS[family];
  const wait = `${options.lockWaitSeconds ?? DEFAULT_LOCK_WAIT_SECONDS}`;
  const { code, stderr } = await runner.run(restore, ["--noflush", "-w", wait], input);
  return code === 0 ? undefined : toolError(family, restore, code, stderr, input);
}
