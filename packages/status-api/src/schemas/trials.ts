/** `POST /api/paths/NAME/drill` and `POST /api/speedtest`: what they take, tell meanwhile, and find. */

import { MAX_SPEEDTEST_BYTES } from "@hawser/gateway-kit/config";
import { z } from "zod";
import { DRILL_PHASES, SPEED_PHASES } from "../model/values.ts";
import { number, numberOrNull, type Shape, text } from "./shape.ts";

export const drillRequest = z.strictObject({
  seconds: z.int().min(1).max(300).meta({ description: "How long the path is out." }),
});
export type DrillRequest = Shape<typeof drillRequest>;

const longestGapMs = numberOrNull(
  "The longest time without progress of any flow that had moved bytes all the time before; a pause of the flow's own " +
    "counts, too. Null without such a flow.",
);

/** What flows felt while a path was taken out on purpose. */
export const drillReport = z.object({
  path: text("The path's name."),
  seconds: number("How long it was out."),
  flows: z.object({
    open: number("Flows that were open when it was taken out."),
    failed: number("Of these, those that were cut."),
  }),
  bytes: z
    .object({ sent: z.number(), received: z.number() })
    .meta({ description: "Bytes of flows from when the path was taken out until the report." }),
  longestGapMs,
  upAfterMs: numberOrNull("How long after its return the path was up; null when it was not yet."),
  backAfterMs: numberOrNull(
    "How long after its return the path carried bytes of flows; null when it has not yet.",
  ),
  reinjectedBytes: number("Bytes that were sent again meanwhile."),
});
/** What flows felt of a drill. */
export type DrillReport = Shape<typeof drillReport>;

/** Where a drill stands, and how the flows fare. */
const drillProgress = z.object({
  phase: z.enum(DRILL_PHASES).meta({
    description:
      "before: flows are watched, to know which ones move; out: the path is out; return: until the path carries bytes again.",
  }),
  elapsedSeconds: number("Of the phase."),
  downBps: number("Bits of all flows towards the home in the last moments, per second."),
  upBps: number("Bits of all flows away from the home in the last moments, per second."),
  longestGapMs,
});
/** Where a drill stands. */
export type DrillProgress = Shape<typeof drillProgress>;

/** What one path, or all together, could carry; null where it could not be measured, which `error` explains. */
const speedResult = z.object({
  name: z.string().nullable().meta({ description: "The path; null for all together." }),
  downBps: numberOrNull("Bits per second towards the home."),
  upBps: numberOrNull("Bits per second away from the home."),
  latencyMs: numberOrNull("Median round trip to the remote gateway of an idle path, as a small flow has it."),
  downLatencyMs: numberOrNull("The same during the transfer towards the home."),
  upLatencyMs: numberOrNull("The same during the transfer away from the home."),
  error: z.string().nullable().meta({ description: "Why something could not be measured." }),
});
/** What a speed test has found of one path, or of all together. */
export type SpeedResult = Shape<typeof speedResult>;
export const speedResults = z.array(speedResult);

/** No body at all is one without any of these. */
export const speedRequest = z
  .strictObject({
    paths: z.array(z.string()).min(1).max(64).optional().meta({
      description:
        "Only these paths, whatever they cost. Without it those that are up and cost nothing: neither metered nor with a quota.",
    }),
    seconds: z.number().min(2).max(20).optional().meta({ description: "Of each direction." }),
    bytes: z.number().min(1e5).max(MAX_SPEEDTEST_BYTES).optional().meta({
      description: "The most that each direction may cost.",
    }),
  })
  .nullable();
/** What a speed test may take. */
export type SpeedtestOptions = NonNullable<Shape<typeof speedRequest>>;

/** Where a speed test stands. */
const speedProgress = z.object({
  name: z.string().nullable().meta({ description: "The path; null for all together." }),
  round: number("Which of the rounds this is, from 0."),
  rounds: number("How many rounds there are: one for each path, and one for all together."),
  phase: z.enum(SPEED_PHASES).meta({ description: "What is measured now." }),
  share: number("How much of the phase is done, from 0 to 1."),
  bps: number("Bits per second in the last moments."),
  bytes: number("Bytes of the phase so far."),
  result: speedResult.meta({ description: "What is known of this round so far." }),
});
/** Where a speed test stands. */
export type SpeedProgress = Shape<typeof speedProgress>;
