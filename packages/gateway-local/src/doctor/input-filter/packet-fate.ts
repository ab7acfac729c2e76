/** Follows a packet through an input chain. The rules come from iptables-input.ts or nft-input.ts. */

/** Whether a rule matches the packet. `maybe`: that depends on something that the doctor does not know. */
export type Match = "yes" | "no" | "maybe";

export type Verdict =
  | { readonly does: "accept" | "drop" | "return" }
  /** Hands the packet to another program, such as one behind a queue. Its decision is not known. */
  | { readonly does: "unknown" }
  | { readonly does: "jump" | "goto"; readonly chain: string };

export interface FilterRule {
  readonly matches: Match;
  /** Undefined for a rule that only counts or logs. */
  readonly verdict: Verdict | undefined;
  /** As iptables or nft writes the rule, for people. */
  readonly text: string;
}

export interface FilterChains {
  readonly rules: ReadonlyMap<string, readonly FilterRule[]>;
  /** The chain that the kernel starts with, and what happens to a packet at its end. */
  readonly base: string;
  readonly policy: "accept" | "drop";
}

/** `passes` and `drops` are certain. `by` is the rule or the policy that drops the packet. */
export type Fate = { readonly fate: "passes" | "unknown" } | { readonly fate: "drops"; readonly by: string };

/** More jumps into each other than any kernel allows. */
const MAX_DEPTH = 16;

export function packetFate(chains: FilterChains): Fate {
  const walk = new Walk(chains);
  const end = walk.through(chains.base, 0);
  const isDropped = end === "drop" || (end === "return" && chains.policy === "drop");
  if (isDropped ? walk.mayAccept : walk.mayDrop) return { fate: "unknown" };
  if (!isDropped) return { fate: "passes" };
  return { fate: "drops", by: end === "drop" ? walk.dropper : "its policy, drop" };
}

/** Follows the rules that certainly match, and records what the rules that may match would do. */
class Walk {
  readonly #chains: FilterChains;
  mayAccept = false;
  mayDrop = false;
  /** The rule that dropped the packet last. */
  dropper = "";

  constructor(chains: FilterChains) {
    this.#chains = chains;
  }

  /** `return`: the chain has ended without a decision. */
  through(name: string, depth: number): "accept" | "drop" | "return" {
    for (const rule of this.#chains.rules.get(name) ?? []) {
      if (rule.matches === "no" || !rule.verdict) continue;
      const outcome = this.#outcome(rule, rule.verdict, depth);
      if (outcome === "on") continue;
      if (rule.matches === "yes") return outcome;
      // The rule may not match: the next one counts, too.
      this.mayAccept ||= outcome !== "drop";
      this.mayDrop ||= outcome !== "accept";
    }
    return "return";
  }

  #outcome({ text }: FilterRule, verdict: Verdict, depth: number): "accept" | "drop" | "return" | "on" {
    if (verdict.does === "drop") this.dropper = text;
    if (verdict.does === "unknown" || depth >= MAX_DEPTH) {
      this.mayAccept = true;
      this.mayDrop = true;
      return "return";
    }
    if (!("chain" in verdict)) return verdict.does;
    const end = this.through(verdict.chain, depth + 1);
    return end === "return" && verdict.does === "jump" ? "on" : end;
  }
}

/** `yes` when all match. */
export function all(matches: readonly Match[]): Match {
  if (matches.includes("no")) return "no";
  return matches.includes("maybe") ? "maybe" : "yes";
}

/** `yes` when one matches. */
export function any(matches: readonly Match[]): Match {
  if (matches.includes("yes")) return "yes";
  return matches.includes("maybe") ? "maybe" : "no";
}

export function not(match: Match): Match {
  return { yes: "no", no: "yes", maybe: "maybe" }[match] as Match;
}

export function isSo(condition: boolean): Match {
  return condition ? "yes" : "no";
}
