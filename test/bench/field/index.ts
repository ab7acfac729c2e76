import { decay } from "./decay.ts";
import { mtuHole } from "./mtu-hole.ts";
import type { Scenario } from "./scenario.ts";
import { spentPlan } from "./spent-plan.ts";

/** In the order in which they are played. */
export const SCENARIOS: readonly Scenario[] = [mtuHole, decay, spentPlan];
