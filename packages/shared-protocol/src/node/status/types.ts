/** What both gateways say about themselves: the bodies of `GET /api/status` and `GET /api/flows`. */

import type { FlowKind, PathRole } from "../../wire/frames.ts";
import type { RefusalCount } from "../limits/refusals.ts";

export const SESSION_STATES = ["connecting", "up", "degraded", "down"] as const;
/** `degraded`: it carries data, but a path that should be up is not. */
export type SessionState = (typeof SESSION_STATES)[number];

export const PATH_STATES = ["connecting", "up", "probation", "suspect", "down", "disabled"] as const;
/** `probation`: it has just returned and is tried; `suspect`: it makes no progress and gets no new data. */
export type PathState = (typeof PATH_STATES)[number];

export interface PathStatus {
  readonly name: string;
  readonly state: PathState;
  /** As configured or changed; `roleInForce` may be another. At the remote gateway what it was told. */
  readonly role: PathRole;
  /** What the path is used as now. Absent, as all that follows it: the same, or an older gateway. */
  readonly roleInForce?: PathRole;
  /** Why it is not `role`; null when it is. */
  readonly roleReason?: "quota" | null;
  /** Whether new data may go over it from this end now: an overflow or backup path may be idle. */
  readonly inUse?: boolean;
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
export const QUOTA_COUNTS = ["both", "down", "up"] as const;
export type QuotaCount = (typeof QUOTA_COUNTS)[number];
/** `backup`: from then on it is a backup line; `disable`: not used. */
export const QUOTA_ENDS = ["backup", "disable"] as const;
export type QuotaEnd = (typeof QUOTA_ENDS)[number];

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
  readonly paths: readonly PathStatus[];
}

interface Report {
  readonly version: string;
  readonly uptimeSeconds: number;
}

export interface LocalStatusReport extends Report {
  readonly role: "local";
  readonly session: SessionStatus;
}

export interface RemoteStatusReport extends Report {
  readonly role: "remote";
  readonly sessions: readonly SessionStatus[];
}

export type StatusReport = LocalStatusReport | RemoteStatusReport;

/** How many bytes of a flow went over one path. */
export interface FlowShare {
  readonly name: string;
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

/** One open flow. Sent is from who opened it towards the destination, at both ends. */
export interface FlowStatus {
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

/** What a gateway gives the status server. Called at every request: snapshots, not computations. */
export interface StatusSource {
  status(): StatusReport;
  flows(): readonly FlowStatus[];
  /** Who was turned away since the start. */
  refusals?(): readonly RefusalCount[];
  /** Changes a path's role at once; false when there is no such path. Absent where roles are not decided. */
  setPathRole?(name: string, role: PathRole): boolean;
}

export function sessionsOf(report: StatusReport): readonly SessionStatus[] {
  return report.role === "local" ? [report.session] : report.sessions;
}

/** Whether bytes can go over the path now. */
export function carries({ state }: PathStatus): boolean {
  return state === "up" || state === "probation";
}
