/** What both gateways say about themselves: the bodies of `GET /api/status` and `GET /api/flows`. */

import type { PathState } from "@hawser/gateway-kit";
import type { EgressFamilies, FlowKind, PathRole } from "@hawser/shared-protocol";

export const SESSION_STATES = ["connecting", "up", "degraded", "down"] as const;
/** `degraded`: it carries data, but a path that should be up is not. */
export type SessionState = (typeof SESSION_STATES)[number];

/** One path, as this gateway sees it. */
export interface PathStatus {
  readonly name: string;
  readonly state: PathState;
  /** Why it entered its state, for people. */
  readonly reason: string;
  /** As configured or changed; `roleInForce` may be another. At the remote gateway what it was told. */
  readonly role: PathRole;
  /** What the path is used as now: a quota that is reached takes more from it than its role gives. Absent: the same. */
  readonly roleInForce?: PathRole;
  /** When it was given its role in force: ISO 8601, UTC. */
  readonly roleSince: string;
  /** Who gave it its role in force, or why it has it, for people. */
  readonly roleReason: string;
  /** Whether new data may go over it from this end now: an overflow or backup path may be idle. */
  readonly inUse?: boolean;
  /**
   * When it is tried again, ISO 8601, UTC: it held up more of what this end sends than it carried, and carries nothing new
   * as long as others do. Null when it does not rest.
   */
  readonly restsUntil?: string | null;
  /** Of an overflow path. */
  readonly tier?: number | null;
  /** The most that may go each way, bits per second; null where the line alone bounds it. */
  readonly maxRateBps?: { readonly down: number | null; readonly up: number | null };
  /** It is pinged rarely. */
  readonly metered?: boolean;
  readonly quota?: QuotaStatus | null;
  /** Live connections on this path. */
  readonly subflows: number;
  /** Smoothed round-trip time, milliseconds; null before the first sample. */
  readonly rttMs: number | null;
  /** Least round-trip time seen, milliseconds; null before the first sample. */
  readonly minRttMs: number | null;
  /** Payload leaving this gateway now, bits per second. */
  readonly sendRateBps: number;
  /** Payload arriving at this gateway now, bits per second. */
  readonly receiveRateBps: number;
  /** Sent and not yet acknowledged, bytes. */
  readonly unackedBytes: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** Of `sentBytes`, those that had been sent before, on this or another path. */
  readonly reinjectedBytes: number;
  /** Why the path was lost, or could not be dialled, the last time; null if never. */
  readonly lastError: string | null;
  /** When the path entered its state: ISO 8601, UTC. */
  readonly since: string;
}

/** A path was given a role. */
export interface RoleChange
  extends Required<Pick<PathStatus, "name" | "role" | "roleInForce" | "roleReason">> {}

/** A monthly quota, counted in bytes of IP packets. */
export interface QuotaStatus {
  readonly limitBytes: number;
  readonly usedBytes: number;
  readonly leftBytes: number;
  readonly counts: QuotaCount;
  readonly whenReached: QuotaEnd;
  readonly reached: boolean;
  /** When it begins anew: ISO 8601, UTC. */
  readonly resetsAt: string;
}
/** Which direction counts into a quota, as the home sees it. */
export const QUOTA_COUNTS = ["both", "down", "up"] as const;
export type QuotaCount = (typeof QUOTA_COUNTS)[number];
/** `backup`: from then on it is a backup line; `disable`: not used. */
export const QUOTA_ENDS = ["backup", "disable"] as const;
export type QuotaEnd = (typeof QUOTA_ENDS)[number];

/** One session, as this gateway sees it. */
export interface SessionStatus {
  /** The name under which the local gateway is paired. */
  readonly peer: string;
  readonly state: SessionState;
  readonly flows: {
    readonly open: number;
    /** Since the gateway's start, open ones included. */
    readonly total: number;
    /** Reset, or never opened. */
    readonly failed: number;
    /** Of the remote gateway: those of `failed` that its rules or limits forbade. */
    readonly refused?: number;
  };
  /** Since the gateway's start. */
  readonly bytes: {
    readonly sent: number;
    readonly received: number;
    readonly reinjected: number;
  };
  /** By which address families the remote gateway reaches the Internet; null while that is not known, absent before 0.2. */
  readonly egress?: EgressFamilies | null;
  readonly paths: readonly PathStatus[];
}

interface Report {
  readonly version: string;
  readonly uptimeSeconds: number;
}

export const CAPTURE_STATES = ["unproven", "arrives", "blocked"] as const;
/** `unproven`: no connection of the LAN has come yet; `blocked`: a firewall drops what the rules redirect. */
export type CaptureState = (typeof CAPTURE_STATES)[number];

/** Whether the LAN's connections that the redirect rules turn to the gateway arrive there. */
export interface CaptureStatus {
  readonly family: "ipv4" | "ipv6";
  readonly state: CaptureState;
  /** Connections that have arrived since the gateway's start. */
  readonly accepted: number;
  /** First packets that the rules have redirected, as of some seconds ago; null when they cannot be read. */
  readonly redirected: number | null;
}

/** How those who open flows share the room for them. */
export interface FlowRoom {
  /** How many flows may be open at once. */
  readonly limit: number;
  readonly open: number;
  /** Of these, those whose destinations have not answered yet. */
  readonly dialling: number;
  /** A new flow is refused, whoever opens it. */
  readonly isFull: boolean;
  /** Who had flows refused in the last minute because others need room, too; null: nobody. */
  readonly greedy: GreedySource | null;
}

/** One address that opens flows: a device on the LAN, or the router itself. */
export interface GreedySource {
  readonly source: string;
  readonly flows: number;
  /** Of these, those whose destinations have not answered yet. */
  readonly dialling: number;
  /** Flows that it did not get, or lost before their destinations answered, since this began. */
  readonly refused: number;
}

/** What `GET /api/status` answers at a local gateway. */
export interface LocalStatusReport extends Report {
  readonly role: "local";
  /** Of each family that is captured; absent when nothing is. */
  readonly capture?: readonly CaptureStatus[];
  readonly session: SessionStatus;
  /** Absent where the gateway keeps no redirect rules. */
  readonly rules?: RulesStatus;
  readonly flowRoom?: FlowRoom;
}

/** The redirect rules that the local gateway keeps. */
export interface RulesStatus {
  readonly inPlace: boolean;
  /** Why they are not in place, for people. */
  readonly trouble: string | null;
}

/** What `GET /api/status` answers at a remote gateway. */
export interface RemoteStatusReport extends Report {
  readonly role: "remote";
  readonly sessions: readonly SessionStatus[];
}

/** What `GET /api/status` answers. */
export type StatusReport = LocalStatusReport | RemoteStatusReport;

/** How many bytes of a flow went over one path. */
export interface FlowShare {
  readonly name: string;
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

/** One open flow. Sent is from who opened it towards the destination, at both ends. */
export interface FlowStatus {
  /** Its session and its stream: of no other flow, now or later. */
  readonly id: string;
  /** `HOST:PORT` of who opened it. */
  readonly from: string;
  /** `HOST:PORT` of the destination. */
  readonly to: string;
  readonly kind: FlowKind;
  /** The session it belongs to: of use where there are several. */
  readonly peer?: string;
  readonly ageSeconds: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  readonly paths: readonly FlowShare[];
}

/** What flows felt while a path was taken out on purpose. */
export interface DrillReport {
  readonly path: string;
  /** How long it was out. */
  readonly seconds: number;
  readonly flows: {
    /** Flows that were open when it was taken out. */
    readonly open: number;
    /** Of these, those that were cut. */
    readonly failed: number;
  };
  /** Of flows, from when it was taken out until the report. */
  readonly bytes: { readonly sent: number; readonly received: number };
  /**
   * The longest time without progress of any flow that moved bytes all the time before; a pause of its own counts, too.
   * Null without such a flow.
   */
  readonly longestGapMs: number | null;
  /** How long after its return the path was up; null when it was not yet. */
  readonly upAfterMs: number | null;
  /** How long after its return the path carried bytes of flows again; null when it has not. */
  readonly backAfterMs: number | null;
  readonly reinjectedBytes: number;
}

/** Where a drill stands, and how the flows fare. */
export interface DrillProgress {
  /** `before`: flows are watched, to know which ones move; `return`: until the path carries bytes again. */
  readonly phase: (typeof DRILL_PHASES)[number];
  /** Of the phase. */
  readonly elapsedSeconds: number;
  /** Bytes of all flows of late, towards the home and away from it. */
  readonly downBps: number;
  readonly upBps: number;
  /** So far, as in the report. */
  readonly longestGapMs: number | null;
}
export const DRILL_PHASES = ["before", "out", "return"] as const;

/** What one path, or all together, could carry; null where it could not be measured, which `error` explains. */
export interface SpeedResult {
  /** The path; null for all together. */
  readonly name: string | null;
  readonly downBps: number | null;
  readonly upBps: number | null;
  /** Medians of round trips to the remote gateway, as a small flow has them: idle, and during each transfer. */
  readonly latencyMs: number | null;
  readonly downLatencyMs: number | null;
  readonly upLatencyMs: number | null;
  readonly error: string | null;
}

/** What a speed test may take. */
export interface SpeedtestOptions {
  /** Only these paths; without it those that are up and cost nothing (neither metered nor with a quota). */
  readonly paths?: readonly string[] | undefined;
  /** Of each direction. */
  readonly seconds?: number | undefined;
  /** The most that each direction may cost. */
  readonly bytes?: number | undefined;
}

/** Where a speed test stands. */
export interface SpeedProgress {
  /** The path; null for all together. */
  readonly name: string | null;
  /** Which of how many this is, from 0. */
  readonly round: number;
  readonly rounds: number;
  readonly phase: (typeof SPEED_PHASES)[number];
  /** How much of the phase is done, 0..1. */
  readonly share: number;
  /** Of late. */
  readonly bps: number;
  readonly bytes: number;
  /** What is known of this round so far. */
  readonly result: SpeedResult;
}
export const SPEED_PHASES = ["latency", "down", "up"] as const;

/** The sessions of a report: one at a local gateway, one for each peer's at a remote one. */
export function sessionsOf(report: StatusReport): readonly SessionStatus[] {
  return report.role === "local" ? [report.session] : report.sessions;
}

/** Whether bytes can go over the path now. */
export function carries({ state }: Pick<PathStatus, "state">): boolean {
  return state === "up" || state === "probation";
}

/** Whether nobody pays for what goes over a path, by its status or its configuration. */
export function isFree({ metered, quota }: Pick<PathStatus, "metered"> & { quota?: unknown }): boolean {
  return !metered && !quota;
}
