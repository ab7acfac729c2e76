import type { PathPolicy, PathRole } from "@hawser/shared-protocol";
import { DEFAULT_POLICY } from "@hawser/shared-protocol";
import { RateLimit } from "./rate-limit.ts";

/** What the subflows of one path have in common in a session: its owner's rules for what this side sends. */
export class PathRules {
  policy: PathPolicy = DEFAULT_POLICY;
  /** The path's rate, where it is bounded. */
  limit: RateLimit | undefined;

  /** The same rate goes on where it stood: a subflow that joins again does not get another burst. */
  set(policy: PathPolicy, now: number): void {
    this.policy = policy;
    const rate = policy.rate / 1_000;
    if (rate === 0) this.limit = undefined;
    else if (this.limit?.rate !== rate) this.limit = new RateLimit(rate, now);
  }

  /** Which lines come first: active ones (0), then overflow tier by tier, backups when there is nothing else. */
  tier(role: PathRole): number {
    if (role === "active") return 0;
    return role === "overflow" ? this.policy.tier : Number.POSITIVE_INFINITY;
  }
}
