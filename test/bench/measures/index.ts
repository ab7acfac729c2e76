import type { Measure } from "../measure.ts";
import { down, overhead, up } from "./bulk.ts";
import { comeback, deathDown, deathUp, interfaceDown } from "./failure.ts";
import { duringDownload, duringUpload, idle } from "./latency.ts";
import { stalled, ten } from "./many.ts";

/** In the order in which they are taken: those that harm a line come last. */
export const MEASURES: readonly Measure[] = [
  down,
  up,
  overhead,
  idle,
  duringDownload,
  duringUpload,
  ten,
  stalled,
  deathDown,
  deathUp,
  interfaceDown,
  comeback,
];
