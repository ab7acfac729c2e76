import { DueTimes } from "./due-times.ts";
import type { Subflow } from "./subflow.ts";

/**
 * Which subflows a turn looks at. A session may have many subflows that are idle, and these must cost nothing: a turn
 * looks only at those that are awake. A subflow comes awake when something happens to it, or when its time has come. It
 * sleeps from the end of the turn in which all that it sent has arrived.
 */
export class Attention {
  readonly #awake = new Set<Subflow>();
  readonly #dueTimes = new DueTimes<Subflow>();
  /** From when on those that sleep are pinged along with others. One that has come awake since may still be here. */
  readonly #pingTimes = new DueTimes<Subflow>();
  #revision = 0;

  /** Rises with each thing that happens to a subflow. What was computed from all subflows holds until it rises. */
  get revision(): number {
    return this.#revision;
  }

  /** Something has changed for all subflows, for which none needs a turn. */
  handleChange(): void {
    this.#revision++;
  }

  get awake(): ReadonlySet<Subflow> {
    return this.#awake;
  }

  /** Something happens to the subflow. */
  wake(subflow: Subflow): void {
    this.#revision++;
    this.#awake.add(subflow);
  }

  /** Wakes the subflows whose time has come, and those whose PING is due soon. */
  wakeDue(now: number): void {
    for (let due = this.#dueTimes.take(now); due; due = this.#dueTimes.take(now)) this.wake(due);
    for (let soon = this.#pingTimes.take(now); soon; soon = this.#pingTimes.take(now))
      if (soon.liveness.handleCompany(now)) this.wake(soon);
  }

  /** The turn is over. Returns when the next subflow has something to do without further input. */
  settle(): number {
    for (const subflow of this.#awake) {
      this.#dueTimes.set(subflow, subflow.nextTimeout());
      if (subflow.isUnsettled) continue;
      this.#awake.delete(subflow);
      this.#pingTimes.set(subflow, subflow.liveness.pingFrom);
    }
    return this.#dueTimes.next;
  }

  /** The subflow is gone. */
  forget(subflow: Subflow): void {
    this.#revision++;
    this.#awake.delete(subflow);
    this.#dueTimes.delete(subflow);
    this.#pingTimes.delete(subflow);
  }
}
