/** `GET /api/flows`: the open flows. */

import { FLOW_KINDS } from "@hawser/shared-protocol";
import { z } from "zod";
import { COUNT, digits } from "./numbers.ts";
import { number, type Shape, text } from "./shape.ts";

const flow = z.object({
  id: text("Of its session and its stream; no other flow gets it later."),
  from: text("HOST:PORT of who opened the flow."),
  to: text("HOST:PORT of its destination."),
  kind: z.enum(FLOW_KINDS).meta({ description: "How it came to the local gateway." }),
  peer: z.string().optional().meta({ description: "The session that it belongs to." }),
  ageSeconds: number("Since it was opened."),
  sentBytes: number("Bytes from who opened it to the destination, at both gateways."),
  receivedBytes: number("Bytes from the destination to who opened it, at both gateways."),
  paths: z
    .array(z.object({ name: z.string(), sentBytes: z.number(), receivedBytes: z.number() }))
    .meta({ description: "The bytes by path." }),
});
/** One open flow. */
export type FlowStatus = Shape<typeof flow>;

/** What a client accepts as an answer of `GET /api/flows`. */
export const flowListSchema = z.array(flow);

/** The fields by which flows can be sorted. */
export const FLOW_ORDERS = ["from", "to", "kind", "ageSeconds", "sentBytes", "receivedBytes"] as const;

export const flowQuery = z.object({
  search: z.string().optional().meta({
    description: "Only flows that have this in from, to, kind, peer or the name of a path.",
  }),
  sort: z.enum(FLOW_ORDERS).optional().meta({ description: "By which field." }),
  order: z.enum(["asc", "desc"]).optional().meta({ description: "The lowest first, or the highest." }),
  limit: digits(COUNT, "At most so many; the header x-total-count says how many there are."),
});
/** What `GET /api/flows` can be asked for. */
export type FlowQuery = Shape<typeof flowQuery>;

export const flowName = z.object({ id: z.string() });
