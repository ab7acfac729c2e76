export { Admission, type AdmissionLimits, sourceOf, withinDescriptors } from "./admission.ts";
export { descriptorLimit, flowDescriptors } from "./descriptors.ts";
export { LimitedLog } from "./limited-log.ts";
export { type RefusalCount, Refusals } from "./refusals.ts";
export { TURN_AWAY_MS, TURNED_AWAY, turnAway } from "./turn-away.ts";
