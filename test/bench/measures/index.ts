import type { Measure } from "../measure.ts";
import { down, overhead, up } from "./bulk.ts";

/** In the order in which they are taken: those that harm a line come last. */
export const MEASURES: readonly Measure[] = [down, up, overhead];
