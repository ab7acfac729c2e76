/** `GET /api/status`: the gateway, its sessions and their paths. */

import { PATH_STATES } from "@hawser/gateway-kit/config";
import { PATH_ROLES } from "@hawser/shared-protocol";
import { z } from "zod";
import { CAPTURE_STATES, QUOTA_COUNTS, QUOTA_ENDS, SESSION_STATES } from "../model/values.ts";
import { number, numberOrNull, type Shape, text, yes } from "./shape.ts";

export const pathRole = z.enum(PATH_ROLES);

const maxRate = z
  .object({
    down: numberOrNull("Bits per second towards the home; null where the line alone limits it."),
    up: numberOrNull("Bits per second away from the home; null where the line alone limits it."),
  })
  .meta({ description: "The most that the path may carry." });

const quota = z.object({
  limitBytes: number("Bytes of IP packets that the path may carry in a month."),
  usedBytes: number("Bytes that it has carried this month."),
  leftBytes: number("Bytes that it may still carry this month."),
  counts: z.enum(QUOTA_COUNTS).meta({ description: "Which directions are counted." }),
  whenReached: z.enum(QUOTA_ENDS).meta({
    description:
      "What becomes of the path once the quota is used up: a backup path, or one that is not used.",
  }),
  reached: yes("Whether the quota is used up."),
  resetsAt: text("When the next month begins, ISO 8601."),
});

const path = z.object({
  name: text("As configured by the local gateway."),
  state: z.enum(PATH_STATES).meta({ description: "What the path can do now." }),
  reason: text("Why the path entered its state."),
  role: pathRole.meta({
    description: "As configured, or changed since; the remote gateway has it from the local one.",
  }),
  roleInForce: pathRole.optional().meta({
    description:
      "What the path is used as now. It differs from role when a quota is used up: the path may then be a backup path, or disabled. Absent: the same as role.",
  }),
  roleSince: text("When the path was given its role in force, ISO 8601."),
  roleReason: text("Who gave the path its role in force, or why the path has it."),
  inUse: z.boolean().optional().meta({
    description:
      "Whether this gateway may send new data over the path now; an idle overflow or backup path is not in use.",
  }),
  restsUntil: z
    .string()
    .nullable()
    .optional()
    .meta({
      description:
        "When a resting path is tried again, ISO 8601; null when it does not rest. A path rests that delayed more of " +
        "what this gateway sends than it carried, as long as other paths carry the data.",
    }),
  tier: z.number().nullable().optional().meta({
    description: "In which order overflow paths are taken, the lowest first; null for other roles.",
  }),
  maxRateBps: maxRate.optional(),
  metered: z
    .boolean()
    .optional()
    .meta({ description: "Whether bytes cost money: the path is then probed rarely." }),
  quota: quota.nullable().optional().meta({ description: "The path's monthly quota; null for none." }),
  subflows: number("Live connections on this path."),
  rttMs: numberOrNull("Smoothed round-trip time, ms; null before the first sample."),
  minRttMs: numberOrNull("Least round-trip time seen, ms; null before the first sample."),
  sendRateBps: number("Payload leaving this gateway now, bits per second."),
  receiveRateBps: number("Payload arriving at this gateway now, bits per second."),
  unackedBytes: number("Bytes sent and not yet acknowledged."),
  sentBytes: number("Bytes sent since the gateway's start."),
  receivedBytes: number("Bytes received since the gateway's start."),
  reinjectedBytes: number("Of the bytes sent, those that had been sent before, on this or another path."),
  lastError: z.string().nullable().meta({
    description: "Why the path was lost, or could not be connected, the last time; null if never.",
  }),
  since: text("When the path entered its state, ISO 8601."),
});
/** One path, as this gateway sees it. */
export type PathStatus = Shape<typeof path>;
/** A path's monthly quota, counted in bytes of IP packets. */
export type QuotaStatus = Shape<typeof quota>;

const session = z.object({
  peer: text("The name under which the local gateway is paired."),
  state: z.enum(SESSION_STATES).meta({ description: "degraded: a path that should be up is not." }),
  flows: z.object({
    open: number("Flows that are open now."),
    total: number("Flows since the gateway's start."),
    failed: number("Of all flows, those that were reset or never opened."),
    refused: z.number().optional().meta({
      description: "Of the failed flows, those that rules or limits of the remote gateway forbade.",
    }),
  }),
  bytes: z
    .object({
      sent: number("Sent by this gateway."),
      received: number("Received by this gateway."),
      reinjected: number("Of those sent, those that had been sent before."),
    })
    .meta({ description: "Bytes of flows since the gateway's start." }),
  egress: z.object({ ipv4: z.boolean(), ipv6: z.boolean() }).nullable().optional().meta({
    description:
      "By which address families the remote gateway reaches the Internet; null while that is not known.",
  }),
  paths: z.array(path),
});
/** One session, as this gateway sees it. */
export type SessionStatus = Shape<typeof session>;
/** Whether a session carries data. */
export type SessionState = SessionStatus["state"];

const capture = z.array(
  z.object({
    family: z.enum(["ipv4", "ipv6"]),
    state: z.enum(CAPTURE_STATES).meta({
      description:
        "unproven: no connection of the LAN has come yet; arrives: connections have come; blocked: a firewall drops " +
        "what the rules redirect.",
    }),
    accepted: number("Connections that have arrived since the gateway's start."),
    redirected: numberOrNull(
      "First packets that the rules have redirected, counted some seconds ago; null when they cannot be read.",
    ),
  }),
);
/** Whether the redirected connections of one address family arrive. */
export type CaptureStatus = Shape<typeof capture>[number];
/** What is known of them. */
export type CaptureState = CaptureStatus["state"];

const rules = z
  .object({
    inPlace: yes("Whether the rules stand as configured."),
    trouble: z.string().nullable().meta({ description: "Why they do not; null when they do." }),
  })
  .meta({ description: "The redirect rules that the local gateway keeps." });
/** Whether the redirect rules are in place. */
export type RulesStatus = Shape<typeof rules>;

const greedy = z
  .object({
    source: text("The address of a device on the LAN, or of the router itself."),
    flows: number("Flows that it has."),
    dialling: number("Of its flows, those whose destinations have not answered yet."),
    refused: number(
      "Flows that it did not get, or lost before their destinations answered, since this began.",
    ),
  })
  .nullable()
  .meta({
    description: "Who had flows refused in the last minute because others need room, too; null for nobody.",
  });
const flowRoom = z.object({
  limit: number("Flows that may be open at once."),
  open: number("Flows that are open now."),
  dialling: number("Of the open flows, those whose destinations have not answered yet."),
  isFull: yes("Whether a new flow is refused, whoever opens it."),
  greedy,
});
/** How the sources of flows share the room for them. */
export type FlowRoom = Shape<typeof flowRoom>;
/** A device that has flows refused so that others find room. */
export type GreedySource = NonNullable<FlowRoom["greedy"]>;

/** The report of either gateway in one object. For a union the serialiser would check each report against both. */
export const reportSchema = z.object({
  role: z.enum(["local", "remote"]),
  version: text("The program's."),
  uptimeSeconds: number("Since the gateway's start."),
  session: session.optional().meta({ description: "Of the local gateway." }),
  rules: rules.optional(),
  flowRoom: flowRoom
    .optional()
    .meta({ description: "Of the local gateway: how its sources share the room for flows." }),
  sessions: z.array(session).optional().meta({ description: "Of the remote gateway." }),
  capture: capture
    .optional()
    .meta({ description: "Of the local gateway, for each address family that it captures." }),
});

const localReport = reportSchema.omit({ sessions: true }).extend({ role: z.literal("local"), session });
const remoteReport = reportSchema
  .pick({ version: true, uptimeSeconds: true })
  .extend({ role: z.literal("remote"), sessions: z.array(session) });

/** What a client accepts as an answer of `GET /api/status`. */
export const statusReportSchema = z.discriminatedUnion("role", [localReport, remoteReport]);
/** What `GET /api/status` answers at a local gateway. */
export type LocalStatusReport = Shape<typeof localReport>;
/** What `GET /api/status` answers at a remote gateway. */
export type RemoteStatusReport = Shape<typeof remoteReport>;
/** What `GET /api/status` answers. */
export type StatusReport = LocalStatusReport | RemoteStatusReport;

export const roleRequest = z.strictObject({ role: pathRole });
export type RoleRequest = Shape<typeof roleRequest>;
export const pathName = z.object({ name: z.string() });
/** The answer of `PATCH /api/paths/NAME`. */
export const roleChange = z.object({
  name: z.string(),
  role: pathRole,
  roleInForce: pathRole.meta({
    description: "What the path is used as now. It differs from role while a quota is used up.",
  }),
  roleReason: text("Why it is used so."),
});
/** What the role of a path has become. */
export type RoleChange = Shape<typeof roleChange>;
