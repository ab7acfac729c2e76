import type { LineBytes } from "@hawser/gateway-kit";
import { formatBytes, formatDay, type QuotaStatus } from "@hawser/status-api/model";
import type { QuotaConfig } from "../config.ts";
import { enterPeriod, nextReset, type PeriodCount, periodAt } from "./period.ts";

/** At this share of a quota an event tells the user. */
const WARN_AT = 0.8;
/**
 * The share of the rest that each direction may send before the rest is shared out again. It leaves room for what the
 * other direction sends meanwhile and for packet headers, so no more is sent than the quota allows.
 */
const SHARE = 0.25;
/** A quota counts as reached when no more than this is left, bytes: data under way and closing connections use it. */
const REST = 65_536;
const REST_PER_SUBFLOW = 16_384;

/** A change of a quota's state. */
export type QuotaEvent = "warned" | "reached" | "reset";

/** One path's quota: how much of it is used, and how much may be sent until the next count. */
export class PathQuota {
  readonly config: QuotaConfig;
  readonly #subflows: number;
  #count: PeriodCount;
  #line: LineBytes;
  #reached = false;

  /** `line`: the bytes that the path's line had carried when `stored` was counted. */
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

  /** For people: why the path has another role since the quota was reached. */
  get endReason(): string {
    return `its quota of ${formatBytes(this.config.bytes)} is used up until ${formatDay(this.#resetsAt)}`;
  }

  get #rest(): number {
    return REST + this.#subflows * REST_PER_SUBFLOW;
  }

  /** Takes in the bytes that the line has carried so far, and the time. */
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

  /** The bytes since the last count that this quota counts. */
  #counted({ sent, received }: LineBytes): number {
    const { count } = this.config;
    const up = count === "down" ? 0 : sent - this.#line.sent;
    const down = count === "up" ? 0 : received - this.#line.received;
    return up + down;
  }

  /** Bytes that may be sent in each direction from now on; infinite in a direction that the quota does not count. */
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
