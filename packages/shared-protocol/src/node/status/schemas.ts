/** The schemas of every body, for the server's answers, its documentation, and clients that check what they got. */

import { z } from "zod";
import { FLOW_KINDS, PATH_ROLES } from "../../wire/frames.ts";
import {
  type FlowStatus,
  PATH_STATES,
  type PathStatus,
  QUOTA_COUNTS,
  QUOTA_ENDS,
  type QuotaStatus,
  SESSION_STATES,
  type SessionStatus,
  type StatusReport,
} from "./types.ts";

const described = (description: string) => z.number().meta({ description });
const bytes = (description: string) => described(`${description}, bytes`);

const role = z.enum(PATH_ROLES);

const maxRate = z
  .object({ down: z.number().nullable(), up: z.number().nullable() })
  .meta({ description: "the most that may go each way, bits per second" });

const quota = z.object({
  limitBytes: bytes("a month's quota"),
  usedBytes: bytes("used of it"),
  leftBytes: bytes("left of it"),
  counts: z.enum(QUOTA_COUNTS),
  whenReached: z.enum(QUOTA_ENDS),
  reached: z.boolean(),
  resetsAt: z.string().meta({ description: "when it begins anew, ISO 8601" }),
}) satisfies z.ZodType<QuotaStatus>;

const path = z.object({
  name: z.string(),
  state: z.enum(PATH_STATES),
  role,
  roleInForce: role.optional(),
  roleReason: z
    .literal("quota")
    .nullable()
    .optional()
    .meta({ description: "why the role in force is another" }),
  inUse: z.boolean().optional().meta({ description: "new data may go over it from this end now" }),
  tier: z.number().nullable().optional().meta({ description: "of an overflow path" }),
  maxRateBps: maxRate.optional(),
  metered: z.boolean().optional().meta({ description: "it is pinged rarely" }),
  quota: quota.nullable().optional(),
  subflows: described("live connections on this path"),
  rttMs: z.number().nullable().meta({ description: "smoothed round-trip time, ms" }),
  minRttMs: z.number().nullable().meta({ description: "least round-trip time seen, ms" }),
  sendRateBps: described("payload leaving this gateway now, bits per second"),
  receiveRateBps: described("payload arriving at this gateway now, bits per second"),
  unackedBytes: bytes("sent and not yet acknowledged"),
  sentBytes: bytes("sent"),
  receivedBytes: bytes("received"),
  reinjectedBytes: bytes("sent again"),
  lastError: z.string().nullable(),
  since: z.string().meta({ description: "when the path entered its state, ISO 8601" }),
}) satisfies z.ZodType<PathStatus>;

const session = z.object({
  peer: z.string(),
  state: z.enum(SESSION_STATES),
  flows: z.object({
    open: z.number(),
    total: z.number(),
    failed: z.number(),
    refused: z.number().optional(),
  }),
  bytes: z.object({ sent: z.number(), received: z.number(), reinjected: z.number() }),
  paths: z.array(path),
}) satisfies z.ZodType<SessionStatus>;

const report = { version: z.string(), uptimeSeconds: z.number() };

/** One shape for both ends: a union would cost the serialiser a validation at every answer. */
const anyReport = z.object({
  role: z.enum(["local", "remote"]),
  ...report,
  session: session.optional().meta({ description: "of the local gateway" }),
  sessions: z.array(session).optional().meta({ description: "of the remote gateway" }),
});

/** What a client accepts as an answer of `GET /api/status`. */
export const statusReportSchema: z.ZodType<StatusReport> = z.discriminatedUnion("role", [
  z.object({ role: z.literal("local"), ...report, session }),
  z.object({ role: z.literal("remote"), ...report, sessions: z.array(session) }),
]);

const flow = z.object({
  id: z.string(),
  from: z.string(),
  to: z.string(),
  kind: z.enum(FLOW_KINDS),
  peer: z.string().optional(),
  ageSeconds: z.number(),
  sentBytes: z.number(),
  receivedBytes: z.number(),
  paths: z.array(z.object({ name: z.string(), sentBytes: z.number(), receivedBytes: z.number() })),
}) satisfies z.ZodType<FlowStatus>;

const health = z.object({
  status: z.enum(["up", "down"]),
  reason: z.string().optional().meta({ description: "for those who show the token, as what follows" }),
  pathsUp: z.number().optional(),
  paths: z.number().optional(),
});
export type Health = z.output<typeof health>;

const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number(),
  detail: z.string(),
});
export type Problem = z.output<typeof problem>;

const roleChange = z.strictObject({ role });
const pathName = z.object({ name: z.string() });
const changedPath = z.object({ name: z.string(), role });

/** JSON Schema as the server's validator and serialiser read it. */
function jsonSchema(schema: z.ZodType): Record<string, unknown> {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { target: "draft-7" });
  return rest;
}

export const JsonSchema = {
  status: jsonSchema(anyReport),
  flows: jsonSchema(z.array(flow)),
  health: jsonSchema(health),
  problem: jsonSchema(problem),
  roleChange: jsonSchema(roleChange),
  pathName: jsonSchema(pathName),
  changedPath: jsonSchema(changedPath),
  text: { type: "string" },
  document: { type: "object", additionalProperties: true },
} as const;
