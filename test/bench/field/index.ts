import { decay } from "./decay.ts";
import { delaySpikes } from "./delay-spikes.ts";
import { mtuHole } from "./mtu-hole.ts";
import { natForgets } from "./nat-forgets.ts";
import { portal } from "./portal.ts";
import type { Scenario } from "./scenario.ts";
import { sharedTower } from "./shared-tower.ts";
import { spentPlan } from "./spent-plan.ts";
import { starlink } from "./starlink.ts";

/** In the order in which they are played. */
export const SCENARIOS: readonly Scenario[] = [
  mtuHole,
  decay,
  spentPlan,
  natForgets,
  delaySpikes,
  portal,
  starlink,
  sharedTower,
];
