/**
 * Shares the processor among the peers. One thread serves all of them, and a peer could have it decode frames without
 * end.
 */

/**
 * The time over which the shares are taken, milliseconds. The next piece of work ends a span, so an idle thread has no
 * timer.
 */
const SPAN_MS = 50;
/** From this busy share of a span on, some peer may have had to wait. */
const SATURATED = 0.9;
/** The longest pause in reading a peer, milliseconds: the peer's lines must not seem dead to it. */
const MAX_PAUSE_MS = 200;

/** Sets whether a peer's connections are read. */
export type SetReading = (peer: string, isReading: boolean) => void;

/** The clock that shares are judged by. Tests have their own. */
export interface Clock {
  /** Milliseconds, steady. */
  now(): number;
  /** Share of the time since the last call in which the thread was busy. */
  utilization(): number;
}

/**
 * While the thread is saturated, a peer that has used more than an equal share is not read until its use is down to
 * that share. The share is equal among the peers that used the thread: a peer alone has all of it.
 */
export class CpuShares {
  readonly #setReading: SetReading;
  readonly #clock: Clock;
  readonly #used = new Map<string, number>();
  readonly #paused = new Map<string, NodeJS.Timeout>();
  #since = Number.NEGATIVE_INFINITY;

  constructor(setReading: SetReading, clock: Clock = eventLoopClock()) {
    this.#setReading = setReading;
    this.#clock = clock;
  }

  /** Adds the milliseconds that the peer's session took. */
  note(peer: string, ms: number): void {
    this.#used.set(peer, (this.#used.get(peer) ?? 0) + ms);
    const now = this.#clock.now();
    const span = now - this.#since;
    if (span < SPAN_MS) return;
    this.#since = now;
    this.#judge(span);
  }

  #judge(span: number): void {
    const isSaturated = this.#clock.utilization() > SATURATED;
    // A peer that is not read counts as well: it would use its share.
    const share = span / new Set([...this.#used.keys(), ...this.#paused.keys()]).size;
    if (isSaturated)
      for (const [peer, used] of this.#used) if (used > share) this.#pause(peer, span * (used / share - 1));
    this.#used.clear();
  }

  #pause(peer: string, ms: number): void {
    if (this.#paused.has(peer)) return;
    this.#setReading(peer, false);
    const resume = (): void => {
      this.#paused.delete(peer);
      this.#setReading(peer, true);
    };
    this.#paused.set(peer, setTimeout(resume, Math.min(MAX_PAUSE_MS, ms)));
  }
}

function eventLoopClock(): Clock {
  let before = performance.eventLoopUtilization();
  return {
    now: () => performance.now(),
    utilization() {
      const now = performance.eventLoopUtilization();
      const { utilization } = performance.eventLoopUtilization(now, before);
      before = now;
      return utilization;
    },
  };
}
