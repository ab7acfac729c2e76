import { CALM_SPAN, FULL_SHARE, FULL_TIME, LEAVE_BELOW, LEAVE_TIME, LONGEST_LOOK } from "./parameters.ts";
import type { Subflow } from "./subflow.ts";

/** Other tiers are in use than before. */
export interface TierChange {
  /** The highest in use now, and before. */
  readonly top: number;
  readonly before: number;
  /**
   * `full`: the tiers before were, `share` of the time looked at; `calm`: everything together was `share` of what the
   * tiers below can carry; `alone`: no line of a tier before makes progress; `back`: one does again.
   */
  readonly reason: "full" | "calm" | "alone" | "back";
  readonly share?: number;
}

/**
 * Which lines may carry data now, by the roles that their owner gave them. Lines stand in tiers: the active ones in tier
 * 0, overflow lines in theirs, backups behind them all. The lowest tier in which a line makes progress is used, always.
 *
 * ```
 *  tiers up to k --(data waited for FULL_SHARE of FULL_TIME)--> tiers up to the next one
 *        ^                                                              |
 *        '---(all together carried less than LEAVE_BELOW of what the    |
 *             lower tiers can carry, throughout LEAVE_TIME)-------------'
 * ```
 *
 * A tier is full when data waits although all of its lines were asked. A line that is left gets nothing new; what is
 * under way on it arrives as ever.
 */
export class RolePolicy {
  /** The highest tier that is in use because those below it are full. */
  #top = 0;
  #waiting = false;
  #at = 0;
  /** For how long data did, and did not, wait since the watch on the tiers in use began. */
  #fullMs = 0;
  #freeMs = 0;
  #spanAt = 0;
  #spanAcked = 0;
  #calmMs = 0;
  /** Of the last span that was calm. */
  #calmShare = 0;
  /** The highest tier in use, as it was told last. */
  #told: number | undefined;

  /**
   * The lines that may carry new data. A new one whose round trip the system does not tell waits for the answer to its
   * first PING as long as there are others: nobody knows yet when something on it would arrive; one that rests
   * (`hold-up.ts`), too.
   */
  usable(all: Iterable<Subflow>): Subflow[] {
    const living = [...all].filter(isLiving);
    const known = living.filter(({ model }) => model.srtt > 0);
    const candidates = known.length > 0 ? known : living;
    const top = Math.max(this.#top, Math.min(...candidates.map(({ tier }) => tier)));
    const used = candidates.filter(({ tier }) => tier <= top);
    const awake = used.filter(({ holdUpAccount }) => !holdUpAccount.isResting);
    return awake.length > 0 ? awake : used;
  }

  /** All lines were offered what there is to send; `waiting` tells whether some of it was not taken. */
  noteWaiting(waiting: boolean): void {
    this.#waiting = waiting;
  }

  /** Takes the time in: a tier may have been full, or more than enough, for long enough. */
  handleTime(all: readonly Subflow[], now: number): TierChange | undefined {
    const elapsed = Math.min(LONGEST_LOOK, now - this.#at);
    this.#at = now;
    const living = all.filter(isLiving);
    const hasOverflow = all.some(({ role }) => role === "overflow");
    if (!hasOverflow) this.#top = 0;
    const cause = hasOverflow ? this.#handleLoad(living, elapsed, now) : undefined;
    return living.length > 0 ? this.#change(living, cause) : undefined;
  }

  #handleLoad(living: readonly Subflow[], elapsed: number, now: number): Cause | undefined {
    const tiers = living.map(({ tier }) => tier).filter(Number.isFinite);
    const top = Math.max(this.#top, Math.min(...tiers));
    const next = Math.min(...tiers.filter((tier) => tier > top));
    if (next < Number.POSITIVE_INFINITY && this.#isFull(elapsed)) {
      const share = this.#fullMs / (this.#fullMs + this.#freeMs);
      this.#use(next, living, now);
      return { reason: "full", share };
    }
    if (!this.#isCalm(living, now)) return undefined;
    this.#use(Math.max(0, ...tiers.filter((tier) => tier < this.#top)), living, now);
    return { reason: "calm", share: this.#calmShare };
  }

  /** What is to be told: nothing of the first tier in use, nor of one that stays. */
  #change(living: readonly Subflow[], cause: Cause | undefined): TierChange | undefined {
    const top = Math.max(this.#top, Math.min(...living.map(({ tier }) => tier)));
    const before = this.#told;
    this.#told = top;
    if (before === undefined || before === top) return undefined;
    return { top, before, ...(cause ?? { reason: top > before ? "alone" : "back" }) };
  }

  #use(top: number, living: readonly Subflow[], now: number): void {
    this.#top = top;
    this.#fullMs = 0;
    this.#freeMs = 0;
    this.#beginSpan(living, now);
    this.#calmMs = 0;
  }

  /** Whether the tiers in use were full for long enough, `elapsed` ms having gone by since the last look. */
  #isFull(elapsed: number): boolean {
    if (this.#waiting) this.#fullMs += elapsed;
    else this.#freeMs += elapsed;
    if (this.#freeMs > (1 - FULL_SHARE) * FULL_TIME) {
      this.#fullMs = 0;
      this.#freeMs = 0;
    }
    return this.#fullMs + this.#freeMs >= FULL_TIME;
  }

  /** Whether the tiers below the highest in use could have carried everything with ease, for long enough. */
  #isCalm(living: readonly Subflow[], now: number): boolean {
    if (this.#top === 0 || now - this.#spanAt < CALM_SPAN) return false;
    const ms = now - this.#spanAt;
    const delivered = (acked(living) - this.#spanAcked) / ms;
    const below = living.filter(({ tier }) => tier < this.#top);
    const capacity = below.reduce((sum, { rate }) => sum + rate, 0);
    this.#calmMs = delivered < LEAVE_BELOW * capacity ? this.#calmMs + ms : 0;
    this.#calmShare = delivered / capacity;
    this.#beginSpan(living, now);
    return this.#calmMs >= LEAVE_TIME;
  }

  #beginSpan(living: readonly Subflow[], now: number): void {
    this.#spanAt = now;
    this.#spanAcked = acked(living);
  }
}

type Cause = Pick<TierChange, "reason" | "share">;

/** Whether the line makes progress, and is meant to. */
export function isLiving({ role, liveness, isSpent }: Subflow): boolean {
  return role !== "disabled" && liveness.state !== "suspect" && liveness.state !== "dead" && !isSpent;
}

/** Lower tiers first; among equals the order is the caller's. */
export function compareTiers(a: Subflow, b: Subflow): number {
  return a.tier === b.tier ? 0 : a.tier - b.tier;
}

function acked(lines: readonly Subflow[]): number {
  return lines.reduce((sum, { ledger }) => sum + ledger.acked, 0);
}
