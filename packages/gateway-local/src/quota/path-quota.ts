import type { LineBytes } from "@hawser/gateway-kit";
import { formatBytes, formatDay, type QuotaStatus } from "@hawser/status-api/model";
import type { QuotaConfig } from "../config.ts";
import { enterPeriod, nextReset, type PeriodCount, periodAt } from "./period.ts";

/** The share of a quota at which its owner is told. */
const WARN_AT = 0.8;
/**
 * Each direction may send so much of what is left before it is told anew: whatever the other one does meanwhile, and
 * whatever headers add, no more than is left is sent.
 */
const SHARE = 0.25;
/** The rest at which a quota counts as reached: what is under way still, and the ends of connections. Bytes. */
const REST = 65_536;
const REST_PER_SUBFLOW = 16_384;

/** What happened to a quota. */
export type QuotaEvent = "warned" | "reached" | "reset";

/** One path's quota: what of it is used, and how much may be sent before that is looked at again. */
export class PathQuota {
  readonly config: QuotaConfig;
  readonly #subflows: number;
  #count: PeriodCount;
  #line: LineBytes;
  #reached = false;

  /** `line` is what the path's line had carried when `stored` was counted. */
  constructor(
    config: QuotaConfig,
    subflows: number,
    stored: PeriodCount | undefined,
    line: LineBytes,
    now: Date,
  ) {
    this.config = config;
    this.#subflows = subflows;
    const period = periodAt(now, config.resetDay);
    this.#count = enterPeriod(stored ?? { period, used: 0 }, period);
    this.#line = line;
    this.#reached = this.left <= this.#rest;
  }

  get count(): PeriodCount {
    return this.#count;
  }

  get left(): number {
    return Math.max(0, this.config.bytes - this.#count.used);
  }

  get isReached(): boolean {
    return this.#reached;
  }

  /** Why its path has another role once it is reached, for people. */
  get endReason(): string {
    return `its quota of ${formatBytes(this.config.bytes)} is used up until ${formatDay(this.#resetsAt)}`;
  }

  get #rest(): number {
    return REST + this.#subflows * REST_PER_SUBFLOW;
  }

  /** Takes in what the line has carried until now, and the time. */
  handleLine(line: LineBytes, now: Date): QuotaEvent[] {
    const events: QuotaEvent[] = [];
    const before = this.#count;
    const current = enterPeriod(before, periodAt(now, this.config.resetDay));
    if (current.period > before.period) events.push("reset");
    const used = current.used + this.#counted(line);
    this.#line = line;
    this.#count = { ...current, used };
    const warnAt = WARN_AT * this.config.bytes;
    if (used >= warnAt && current.used < warnAt) events.push("warned");
    const wasReached = this.#reached;
    this.#reached = this.left <= this.#rest;
    if (this.#reached && !wasReached) events.push("reached");
    return events;
  }

  /** Of the path's bytes since the last time, those that count. */
  #counted({ sent, received }: LineBytes): number {
    const { count } = this.config;
    const up = count === "down" ? 0 : sent - this.#line.sent;
    const down = count === "up" ? 0 : received - this.#line.received;
    return up + down;
  }

  /** What may be sent each way from now on, bytes; without bound in a direction that does not count. */
  get allowance(): { readonly send: number; readonly receive: number } {
    const { count } = this.config;
    const share = this.#reached ? Number.POSITIVE_INFINITY : SHARE * this.left;
    return {
      send: count === "down" ? Number.POSITIVE_INFINITY : share,
      receive: count === "up" ? Number.POSITIVE_INFINITY : share,
    };
  }

  status(): QuotaStatus {
    const { bytes, count, whenReached } = this.config;
    return {
      limitBytes: bytes,
      usedBytes: this.#count.used,
      leftBytes: this.left,
      counts: count,
      whenReached,
      reached: this.#reached,
      resetsAt: this.#resetsAt.toISOString(),
    };
  }

  get #resetsAt(): Date {
    return nextReset(this.#count.period, this.config.resetDay);
  }
}
