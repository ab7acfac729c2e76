import { MAX_TIER } from "@hawser/shared-protocol";
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

/** Which lines are used, as their roles and states have it. */
export interface Choice {
  /** Lines that make progress and are not disabled. */
  readonly living: readonly Subflow[];
  /** Those of the living lines that may carry new data. */
  readonly usable: ReadonlySet<Subflow>;
  /** How many usable lines are past their startup. */
  readonly known: number;
  /** Some line's role is overflow, whether it makes progress or not. */
  readonly hasOverflow: boolean;
  /** The tiers of the living lines. */
  readonly tiers: readonly number[];
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
  /** For how long data waited, and for how long it did not, since the watch on the tiers in use began. */
  #fullMs = 0;
  #freeMs = 0;
  #spanAt = 0;
  #spanAcked = 0;
  #calmMs = 0;
  /** Of the last span that was calm. */
  #calmShare = 0;
  /** The highest tier in use, as it was told last. */
  #told: number | undefined;
  /** For each line, the state that the present choice was made from. */
  readonly #standings = new Map<Subflow, number>();
  #choice: Choice | undefined;

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

  /**
   * The choice as it is now. It is made anew only if one of the lines that are `awake` stands otherwise than before, or a
   * line has come or gone.
   */
  choose(awake: Iterable<Subflow>, all: Iterable<Subflow>): Choice {
    for (const subflow of awake) {
      const standing = standingOf(subflow);
      if (this.#standings.get(subflow) === standing) continue;
      this.#standings.set(subflow, standing);
      this.#choice = undefined;
    }
    this.#choice ??= this.#chosen([...all]);
    return this.#choice;
  }

  #chosen(all: readonly Subflow[]): Choice {
    const living = all.filter(isLiving);
    const usable = new Set(this.usable(all));
    return {
      living,
      usable,
      known: [...usable].filter(({ model }) => !model.isStarting).length,
      hasOverflow: all.some(({ role }) => role === "overflow"),
      tiers: living.map(({ tier }) => tier),
    };
  }

  /** The line is gone. */
  forget(subflow: Subflow): void {
    this.#standings.delete(subflow);
    this.#choice = undefined;
  }

  /** All lines were offered what there is to send; `waiting` tells whether some of it was not taken. */
  noteWaiting(waiting: boolean): void {
    this.#waiting = waiting;
  }

  /**
   * Takes the time in: a tier may have been full, or more than enough, for long enough. All lines together have had
   * `acked` bytes acknowledged so far, of whatever state they are.
   */
  handleTime({ living, hasOverflow, tiers }: Choice, acked: number, now: number): TierChange | undefined {
    const elapsed = Math.min(LONGEST_LOOK, now - this.#at);
    this.#at = now;
    if (!hasOverflow && this.#top > 0) this.#setTop(0);
    const cause = hasOverflow ? this.#handleLoad(living, tiers, elapsed, acked, now) : undefined;
    return living.length > 0 ? this.#change(tiers, cause) : undefined;
  }

  #handleLoad(
    living: readonly Subflow[],
    all: readonly number[],
    elapsed: number,
    acked: number,
    now: number,
  ): Cause | undefined {
    const tiers = all.filter(Number.isFinite);
    const top = Math.max(this.#top, Math.min(...tiers));
    const next = Math.min(...tiers.filter((tier) => tier > top));
    if (next < Number.POSITIVE_INFINITY && this.#isFull(elapsed)) {
      const share = this.#fullMs / (this.#fullMs + this.#freeMs);
      this.#use(next, acked, now);
      return { reason: "full", share };
    }
    if (!this.#isCalm(living, acked, now)) return undefined;
    this.#use(Math.max(0, ...tiers.filter((tier) => tier < this.#top)), acked, now);
    return { reason: "calm", share: this.#calmShare };
  }

  /** The change to be told, if there is one. The first tier that comes into use is none. */
  #change(tiers: readonly number[], cause: Cause | undefined): TierChange | undefined {
    const top = Math.max(this.#top, Math.min(...tiers));
    const before = this.#told;
    this.#told = top;
    if (before === undefined || before === top) return undefined;
    return { top, before, ...(cause ?? { reason: top > before ? "alone" : "back" }) };
  }

  #setTop(top: number): void {
    this.#top = top;
    this.#choice = undefined;
  }

  #use(top: number, acked: number, now: number): void {
    this.#setTop(top);
    this.#fullMs = 0;
    this.#freeMs = 0;
    this.#beginSpan(acked, now);
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
  #isCalm(living: readonly Subflow[], acked: number, now: number): boolean {
    if (this.#top === 0 || now - this.#spanAt < CALM_SPAN) return false;
    const ms = now - this.#spanAt;
    const delivered = (acked - this.#spanAcked) / ms;
    const below = living.filter(({ tier }) => tier < this.#top);
    const capacity = below.reduce((sum, { rate }) => sum + rate, 0);
    this.#calmMs = delivered < LEAVE_BELOW * capacity ? this.#calmMs + ms : 0;
    this.#calmShare = delivered / capacity;
    this.#beginSpan(acked, now);
    return this.#calmMs >= LEAVE_TIME;
  }

  #beginSpan(acked: number, now: number): void {
    this.#spanAt = now;
    this.#spanAcked = acked;
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

/** All of a line's state that decides which lines are used, as one number. */
function standingOf(subflow: Subflow): number {
  const { tier, model, holdUpAccount, role } = subflow;
  let standing = Math.min(tier, MAX_TIER + 1) * 32;
  if (isLiving(subflow)) standing += 1;
  if (model.srtt > 0) standing += 2;
  if (model.isStarting) standing += 4;
  if (holdUpAccount.isResting) standing += 8;
  if (role === "overflow") standing += 16;
  return standing;
}
