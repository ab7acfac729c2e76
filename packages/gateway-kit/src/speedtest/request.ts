/** What a speed test asks of the remote gateway, which is its other end (SPEC.md, section 9). */

import { MAX_PATH_NAME } from "@hawser/shared-protocol";
import { z } from "zod";

/** The destination that stands for the remote gateway itself. No such name is ever registered (RFC 6761, section 6.4). */
export const SPEEDTEST_HOST = "speedtest.hawser.invalid";

/** What the remote gateway does on a stream, by the destination's port. */
export const SpeedtestVerb = { echo: 1, down: 2, up: 3 } as const;
export type SpeedtestVerb = keyof typeof SpeedtestVerb;

const requestSchema = z.strictObject({
  /** Over which paths alone the data goes. */
  paths: z.array(z.string().min(1).max(MAX_PATH_NAME)).min(1).max(256),
});
export type SpeedtestRequest = z.output<typeof requestSchema>;

/** The first line of the stream. */
export function encodeSpeedtestRequest(request: SpeedtestRequest): Buffer {
  return Buffer.from(`${JSON.stringify(request)}\n`);
}

/** The request in a line without its break; undefined when it is none. */
export function parseSpeedtestRequest(line: string): SpeedtestRequest | undefined {
  try {
    return requestSchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

/** The verb of a destination's port. */
export function speedtestVerb(port: number): SpeedtestVerb | undefined {
  return (Object.keys(SpeedtestVerb) as SpeedtestVerb[]).find((verb) => SpeedtestVerb[verb] === port);
}
