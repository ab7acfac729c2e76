/** The processor is shared by peer: one thread serves them all, and a peer could have it decode frames without end. */

/** Over how long the shares are taken, milliseconds. A span ends with the work that comes next; idle, nothing does. */
const SPAN_MS = 50;
/** Share of a span in which the thread was busy from which on somebody may have had to wait. */
const SATURATED = 0.9;
/** The longest that a peer is not read at a time, milliseconds: its lines must not seem dead to it. */
const MAX_PAUSE_MS = 200;

/** Whether a peer's connections are to be read. */
export type SetReading = (peer: string, isReading: boolean) => void;

/** What the shares are judged by; a test has times of its own. */
export interface Clock {
  /** Milliseconds, steady. */
  now(): number;
  /** Share of the time since the last call in which the thread was busy. */
  utilization(): number;
}

/**
 * While the thread is saturated, a peer that has used more than an equal share of it is not read for as long as brings it
 * down to that share. Equal among the peers that used it: alone a peer has all.
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

  /** The peer's session took so many milliseconds. */
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
    // A peer that is not read counts: it would use its share.
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
