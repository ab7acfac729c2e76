import { compareTiers, isLiving } from "./role-policy.ts";
import { isEarliest, type Rival, rivalOf } from "./scheduler.ts";
import type { SessionState } from "./state.ts";
import type { Subflow } from "./subflow.ts";

/**
 * What all of one turn goes by when lines are filled: one time, and one choice of lines. It is made when everything that
 * came has been taken in, and is good until something else comes.
 */
export class Turn {
  readonly now: number;
  /**
   * The subflows to ask what they have to send, in this order: lower tiers, and the earliest arrival, first. It grows when
   * a line has sent all that it may, and others take its place.
   */
  readonly order: number[];
  readonly #state: SessionState;
  /** The lines that make progress, also those that are no longer used: these may have bytes under way. */
  living: readonly Subflow[];
  /** Those of them on which an acknowledgement is overdue. */
  readonly late: readonly Subflow[];
  #usable: ReadonlySet<Subflow>;
  /** The usable lines as they stand; undefined until somebody asks. */
  #rivals: Rival[] | undefined;

  constructor(state: SessionState, now: number) {
    const { living, usable } = state.choice;
    const isLate = (line: Subflow): boolean => line.lateness(now) > 0;
    this.#state = state;
    this.now = now;
    this.living = living;
    this.#usable = usable;
    this.late = [...state.attention.awake].some(isLate) ? living.filter(isLate) : [];
    this.order = sorted(this.#asked(state), now);
    state.tellModels();
  }

  /** Those with something due; and where anything waits for a line, all that may take it. */
  #asked(state: SessionState): Set<Subflow> {
    const { attention, arrivalReports, fairQueue, pendingControl, restricted } = state;
    const asked = new Set(attention.awake);
    const isWaiting =
      fairQueue.size > 0 || pendingControl.size > 0 || state.isGoneDue || this.late.length > 0;
    const lines = arrivalReports.isDue || restricted.size > 0 ? this.living : isWaiting ? this.#usable : [];
    for (const line of lines) asked.add(line);
    for (const line of asked) line.rules.limit?.handleTime(this.now);
    return asked;
  }

  /** Whether the line may carry new data. */
  uses(line: Subflow): boolean {
    return this.#usable.has(line) && !line.isSpent;
  }

  /** The usable lines as they stand now, with what they were given in this turn. */
  get rivals(): readonly Rival[] {
    this.#rivals ??= [...this.#usable].filter(isLiving).map((line) => rivalOf(line, this.now));
    return this.#rivals;
  }

  isEarliest(line: Subflow): boolean {
    return isEarliest(line, this.rivals, this.now);
  }

  /** Something was sent on the line, which stands otherwise now; so do all of its path where their rate is bounded. */
  handleSent(line: Subflow): void {
    const { rules, isSpent } = line;
    const isConcerned = (other: Subflow): boolean =>
      other === line || (rules.limit !== undefined && other.rules === rules);
    if (isSpent) this.#chooseAnew();
    this.#rivals?.forEach((rival, i, all) => {
      if (isConcerned(rival.line)) all[i] = rivalOf(rival.line, this.now);
    });
  }

  #chooseAnew(): void {
    const { living, usable } = this.#state.choice;
    this.living = living;
    this.#usable = usable;
    this.#rivals = undefined;
    const more = [...usable].filter(({ id }) => !this.order.includes(id));
    this.order.push(...sorted(more, this.now));
  }
}

function sorted(lines: Iterable<Subflow>, now: number): number[] {
  const all = Array.from(lines, (line) => ({ line, arrival: line.arrival(0, now) }));
  all.sort((a, b) => compareTiers(a.line, b.line) || a.arrival - b.arrival || a.line.id - b.line.id);
  return all.map(({ line }) => line.id);
}
