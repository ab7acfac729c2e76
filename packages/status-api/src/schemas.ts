/** The schemas of every body, for the server's answers, its documentation, and clients that check what they got. */

import { MAX_SPEEDTEST_BYTES, PATH_STATES } from "@hawser/gateway-kit/config";
import { FLOW_KINDS, PATH_ROLES } from "@hawser/shared-protocol";
import { z } from "zod";
import { EVENT_TYPES, type GatewayEvent } from "./model/event.ts";
import type { History } from "./model/history-columns.ts";
import {
  CAPTURE_STATES,
  type CaptureStatus,
  type DrillReport,
  type FlowRoom,
  type FlowStatus,
  type PathStatus,
  QUOTA_COUNTS,
  QUOTA_ENDS,
  type QuotaStatus,
  type RulesStatus,
  SESSION_STATES,
  type SessionStatus,
  type SpeedResult,
  type SpeedtestOptions,
  type StatusReport,
} from "./model/types.ts";

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
  reason: z.string().meta({ description: "why it entered its state" }),
  role,
  roleInForce: role.optional().meta({ description: "what it is used as now" }),
  roleSince: z.string().meta({ description: "when it was given its role in force, ISO 8601" }),
  roleReason: z.string().meta({ description: "who gave it its role in force, or why it has it" }),
  inUse: z.boolean().optional().meta({ description: "new data may go over it from this end now" }),
  restsUntil: z
    .string()
    .nullable()
    .optional()
    .meta({
      description:
        "when it is tried again, ISO 8601: it held up more of what this end sends than it carried, and others carry it " +
        "meanwhile; null when it does not rest",
    }),
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
  egress: z.object({ ipv4: z.boolean(), ipv6: z.boolean() }).nullable().optional().meta({
    description: "by which address families the remote gateway reaches the Internet; null: not known yet",
  }),
  paths: z.array(path),
}) satisfies z.ZodType<SessionStatus>;

const capture = z.array(
  z.object({
    family: z.enum(["ipv4", "ipv6"]),
    state: z.enum(CAPTURE_STATES).meta({
      description:
        "unproven: no connection of the LAN has come yet; blocked: a firewall drops what the rules redirect",
    }),
    accepted: described("connections that have arrived since the gateway's start"),
    redirected: z
      .number()
      .nullable()
      .meta({ description: "first packets that the rules have redirected; null when they cannot be read" }),
  }),
) satisfies z.ZodType<readonly CaptureStatus[]>;

const rules = z
  .object({
    inPlace: z.boolean(),
    trouble: z.string().nullable().meta({ description: "why they are not in place" }),
  })
  .meta({ description: "the redirect rules that the gateway keeps" }) satisfies z.ZodType<RulesStatus>;
const flowRoom = z.object({
  limit: described("flows that may be open at once"),
  open: z.number(),
  dialling: described("of these, those whose destinations have not answered yet"),
  isFull: z.boolean().meta({ description: "a new flow is refused, whoever opens it" }),
  greedy: z
    .object({ source: z.string(), flows: z.number(), dialling: z.number(), refused: z.number() })
    .nullable()
    .meta({ description: "who had flows refused in the last minute because others need room, too" }),
}) satisfies z.ZodType<FlowRoom>;

const report = { version: z.string(), uptimeSeconds: z.number() };

/** One shape for both ends: a union would cost the serialiser a validation at every answer. */
const anyReport = z.object({
  role: z.enum(["local", "remote"]),
  ...report,
  session: session.optional().meta({ description: "of the local gateway" }),
  rules: rules.optional(),
  flowRoom: flowRoom.optional().meta({ description: "of the local gateway: how its sources share it" }),
  sessions: z.array(session).optional().meta({ description: "of the remote gateway" }),
  capture: capture.optional().meta({ description: "of the local gateway, for each family that is captured" }),
});

/** What a client accepts as an answer of `GET /api/status`. */
export const statusReportSchema: z.ZodType<StatusReport> = z.discriminatedUnion("role", [
  z.object({
    role: z.literal("local"),
    ...report,
    session,
    capture: capture.optional(),
    rules: rules.optional(),
    flowRoom: flowRoom.optional(),
  }),
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

const event = z.object({
  id: described("grows from event to event, over restarts, too"),
  time: z.string().meta({ description: "ISO 8601" }),
  type: z.enum(EVENT_TYPES).meta({
    description:
      "path-in-use, path-idle: an overflow or backup path begins or ends to carry what this gateway sends; " +
      "path-resting, path-tried: a path that held up more than it carried is left out for a while, then tried again; " +
      "capture-blocked, capture-back: a firewall drops what the redirect rules turn to the gateway, or no longer; " +
      "egress-lost, egress-back: the remote gateway has no way out by an address family, or has one again; " +
      "rules-lost, rules-restored, rules-given-up: another program has changed the redirect rules, they are in place again, " +
      "they are left as they are for a while, as it goes on doing so; " +
      "flows-failed, flows-refused: a minute's flows that were cut, or found no room, with the reasons",
  }),
  level: z.enum(["info", "warn"]),
  peer: z.string().optional(),
  path: z.string().optional(),
  message: z.string(),
}) satisfies z.ZodType<GatewayEvent>;

const column = z.array(z.number().nullable());
const history = z.object({
  uptimeSeconds: z
    .array(z.number())
    .meta({ description: "when the values were taken, by the gateway's uptime" }),
  paths: z.array(
    z.object({
      peer: z.string(),
      name: z.string(),
      sentBytes: column,
      receivedBytes: column,
      sendRateBps: column,
      receiveRateBps: column,
      rttMs: column,
      minRttMs: column,
    }),
  ),
}) satisfies z.ZodType<History>;

/** What a client accepts as an answer of `GET /api/flows`. */
export const flowListSchema = z.array(flow);

/** The version of the API: of `/api/v1`. */
export const API_VERSION = 1;
const about = z.object({
  apiVersion: z.literal(API_VERSION),
  gateway: z.enum(["local", "remote"]),
  version: z.string(),
  controls: z
    .object({
      roles: z.array(role).meta({ description: "the roles that a path may be given; none where it cannot" }),
      disconnect: z.boolean(),
      drill: z.boolean(),
      speedtest: z.boolean(),
    })
    .meta({ description: "what this gateway lets its user do" }),
});
/** What a gateway says of itself and of what its user may do. */
export type About = z.output<typeof about>;

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
/** What is wrong with a request (RFC 9457). */
export type Problem = z.output<typeof problem>;

const drillRequest = z.strictObject({
  seconds: z.int().min(1).max(300).meta({ description: "how long the path is out" }),
});
const drillReport = z.object({
  path: z.string(),
  seconds: z.number(),
  flows: z.object({ open: z.number(), failed: z.number() }),
  bytes: z.object({ sent: z.number(), received: z.number() }),
  longestGapMs: z.number().nullable(),
  upAfterMs: z.number().nullable(),
  backAfterMs: z.number().nullable(),
  reinjectedBytes: bytes("sent again meanwhile"),
}) satisfies z.ZodType<DrillReport>;
const speedResult = z.object({
  name: z.string().nullable().meta({ description: "the path; null for all together" }),
  downBps: z.number().nullable(),
  upBps: z.number().nullable(),
  latencyMs: z.number().nullable(),
  downLatencyMs: z.number().nullable(),
  upLatencyMs: z.number().nullable(),
  error: z.string().nullable(),
}) satisfies z.ZodType<SpeedResult>;
/** No body at all is one without any of these. */
const speedRequest = z
  .strictObject({
    paths: z
      .array(z.string())
      .min(1)
      .max(64)
      .optional()
      .meta({ description: "only these, whatever they cost" }),
    seconds: z.number().min(2).max(20).optional().meta({ description: "of each direction" }),
    bytes: z.number().min(1e5).max(MAX_SPEEDTEST_BYTES).optional().meta({ description: "the most of each" }),
  })
  .nullable() satisfies z.ZodType<SpeedtestOptions | null>;

/** The fields by which flows can be sorted. */
export const FLOW_ORDERS = ["from", "to", "kind", "ageSeconds", "sentBytes", "receivedBytes"] as const;
const NUMBER = /^\d{1,16}$/;
const COUNT = /^[1-9]\d{0,15}$/;
/** What the patterns of these schemas mean. */
export const PATTERN_NAMES: ReadonlyMap<string, string> = new Map([
  [NUMBER.source, "a whole number"],
  [COUNT.source, "a whole number from 1 on"],
]);
const digits = (pattern: RegExp, description: string) =>
  z.string().regex(pattern).optional().meta({ description });
const flowQuery = z.object({
  search: z
    .string()
    .optional()
    .meta({ description: "only flows with this in from, to, kind, peer or a path's name" }),
  sort: z.enum(FLOW_ORDERS).optional(),
  order: z.enum(["asc", "desc"]).optional(),
  limit: digits(COUNT, "at most so many; x-total-count says how many there are"),
});
/** What `GET /api/flows` can be asked for. */
export type FlowQuery = z.output<typeof flowQuery>;
const eventQuery = z.object({
  since: digits(NUMBER, "only those after this id; the header Last-Event-ID says the same, and goes before"),
  status: z.literal("1").optional().meta({ description: "in the stream: the status, too, once a second" }),
});
export type EventQuery = z.output<typeof eventQuery>;
const logQuery = z.object({
  lines: digits(COUNT, "at most so many of the last ones, for who has none yet"),
  since: eventQuery.shape.since,
});
export type LogQuery = z.output<typeof logQuery>;
/** As pino writes it; what else there is depends on the line. */
const logLine = z.looseObject({ level: z.string(), time: z.string() });

const roleChange = z.strictObject({ role });
const pathName = z.object({ name: z.string() });
const flowName = z.object({ id: z.string() });
const changedPath = z.object({
  name: z.string(),
  role,
  roleInForce: role.meta({
    description: "what it is used as now: a quota that is reached stands above its role",
  }),
  roleReason: z.string().meta({ description: "why it is used so" }),
});

/** JSON Schema as the server's validator and serialiser read it. */
function jsonSchema(schema: z.ZodType): Record<string, unknown> {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { target: "draft-7" });
  return rest;
}

export const JsonSchema = {
  status: jsonSchema(anyReport),
  about: jsonSchema(about),
  flows: jsonSchema(z.array(flow)),
  flowQuery: jsonSchema(flowQuery),
  flowName: jsonSchema(flowName),
  eventQuery: jsonSchema(eventQuery),
  events: jsonSchema(z.array(event)),
  logQuery: jsonSchema(logQuery),
  logLines: jsonSchema(z.array(logLine)),
  history: jsonSchema(history),
  drillRequest: jsonSchema(drillRequest),
  /** As a stream: progress, then a report or a problem. */
  drillReport: jsonSchema(drillReport),
  speedRequest: jsonSchema(speedRequest),
  /** As a stream: progress, then results or a problem. */
  speedResults: jsonSchema(z.array(speedResult)),
  health: jsonSchema(health),
  problem: jsonSchema(problem),
  roleChange: jsonSchema(roleChange),
  pathName: jsonSchema(pathName),
  changedPath: jsonSchema(changedPath),
} as const;
