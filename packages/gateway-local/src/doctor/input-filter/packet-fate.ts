/** What a firewall's input chain does with a packet, by its rules alone, whatever program wrote them. */

/** Whether a rule is about the packet; `maybe` when that depends on what is not known of it. */
export type Match = "yes" | "no" | "maybe";

export type Verdict =
  | { readonly does: "accept" | "drop" | "return" }
  /** Hands the packet to somebody else, such as a queue: nobody knows what becomes of it. */
  | { readonly does: "unknown" }
  | { readonly does: "jump" | "goto"; readonly chain: string };

export interface FilterRule {
  readonly matches: Match;
  /** Undefined: it only counts or logs. */
  readonly verdict: Verdict | undefined;
  /** As its own tool writes it, for people. */
  readonly text: string;
}

export interface FilterChains {
  readonly rules: ReadonlyMap<string, readonly FilterRule[]>;
  /** The one that the kernel starts with, and what becomes of a packet at its end. */
  readonly base: string;
  readonly policy: "accept" | "drop";
}

/** `by` is the rule or the policy. Only what is certain is said to pass or to be dropped. */
export type Fate = { readonly fate: "passes" | "unknown" } | { readonly fate: "drops"; readonly by: string };

/** Deeper than any kernel allows jumps to be. */
const MAX_DEPTH = 16;

export function packetFate(chains: FilterChains): Fate {
  const walk = new Walk(chains);
  const end = walk.through(chains.base, 0);
  const isDropped = end === "drop" || (end === "return" && chains.policy === "drop");
  if (isDropped ? walk.mayAccept : walk.mayDrop) return { fate: "unknown" };
  if (!isDropped) return { fate: "passes" };
  return { fate: "drops", by: end === "drop" ? walk.dropper : "its policy, drop" };
}

/** Goes by the rules that match for certain; notes what those that may match would have done. */
class Walk {
  readonly #chains: FilterChains;
  mayAccept = false;
  mayDrop = false;
  /** The rule that dropped the packet last. */
  dropper = "";

  constructor(chains: FilterChains) {
    this.#chains = chains;
  }

  /** `return`: the chain has come to its end without a decision. */
  through(name: string, depth: number): "accept" | "drop" | "return" {
    for (const rule of this.#chains.rules.get(name) ?? []) {
      if (rule.matches === "no" || !rule.verdict) continue;
      const outcome = this.#outcome(rule, rule.verdict, depth);
      if (outcome === "on") continue;
      if (rule.matches === "yes") return outcome;
      // It may also go on behind this rule.
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

/** All must match. */
export function all(matches: readonly Match[]): Match {
  if (matches.includes("no")) return "no";
  return matches.includes("maybe") ? "maybe" : "yes";
}

/** One must match. */
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
