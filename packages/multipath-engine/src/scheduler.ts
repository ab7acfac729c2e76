import { LEAST_LEAD } from "./parameters.ts";
import type { Subflow } from "./subflow.ts";

/**
 * Which line carries what. Lines are asked in turn, whenever one has room (late binding); which count at all their roles
 * say (`role-policy.ts`). The questions answered here are which one is the earliest, and whether a stream's next chunk
 * should go now on this line or wait for a faster one.
 */

/** How much sooner the faster line must be, as a share of the slower line's time: ECF's beta, against flapping. */
const WAIT_MARGIN = 0.25;

/** What the lines are compared by. A line is its own rival's image, too, as it was before it was asked. */
export interface Rival {
  readonly line: Subflow;
  /** When it would have something that takes no time at the peer, milliseconds from now. */
  readonly arrival: number;
  readonly rate: number;
  readonly chunk: number;
}

/** How a line stands now. */
export function rivalOf(line: Subflow, now: number): Rival {
  const { rate, chunk } = line;
  return { line, arrival: line.arrival(0, now), rate, chunk };
}

/** Whether a small frame would be at the peer first on this line; of equals the first counts. */
export function isEarliest(line: Subflow, rivals: readonly Rival[], now: number): boolean {
  let best: Subflow | undefined;
  let bestArrival = Number.POSITIVE_INFINITY;
  for (const rival of rivals) {
    const arrival = rival.line === line ? line.arrival(0, now) : rival.arrival;
    if (arrival >= bestArrival) continue;
    best = rival.line;
    bestArrival = arrival;
  }
  return best === line;
}

/**
 * Whether a stream's next chunk should go now on one line, or wait for a faster one. Waiting pays if the faster lines
 * together would have delivered all that the stream has before this line delivers its one chunk (ECF, CoNEXT 2017,
 * extended to several lines and streams). The line that has a chunk there first never waits. Good for one turn of one line.
 */
export class Competition {
  readonly #line: Subflow;
  readonly #now: number;
  readonly #rivals: readonly Rival[];

  /** `rivals` are the usable lines; this one's own image among them does not count. */
  constructor(line: Subflow, rivals: readonly Rival[], now: number) {
    this.#line = line;
    this.#now = now;
    this.#rivals = rivals;
  }

  /** The line itself as it stands now: what it was given in this turn counts. */
  get #own(): Rival {
    return rivalOf(this.#line, this.#now);
  }

  /**
   * What the faster lines deliver, bytes, until this one will surely have delivered a chunk given to it now, of a stream
   * with this `backlog`; 0 where lines are alike.
   */
  lead(backlog: number): number {
    const here = delivered(this.#own, backlog);
    let bytes = 0;
    for (const other of this.#rivals) {
      if (other.line !== this.#line && here - delivered(other, backlog) >= LEAST_LEAD)
        bytes += other.rate * (here + this.#line.spread - other.arrival);
    }
    return bytes;
  }

  /**
   * `backlog` is what the stream has ready to send, infinite for one that waits for room to write more. The faster
   * lines also carry what other streams have ahead of it: `ahead` tells how much.
   */
  allows(backlog: number, ahead: () => number): boolean {
    if (backlog === Number.POSITIVE_INFINITY) return true;
    const expected = delivered(this.#own, backlog);
    const lag = expected - this.#soonest(backlog);
    if (lag <= 0) return true;
    const here = lag >= LEAST_LEAD ? expected + this.#line.spread : expected;
    let rate = 0;
    let spoken = 0;
    for (const other of this.#rivals) {
      if (other.line === this.#line || other.arrival >= expected) continue;
      rate += other.rate;
      spoken += other.rate * other.arrival;
    }
    // How long the faster lines would need for this stream alone. What other streams have before it is asked for only where it
    // decides, as counting it takes time.
    const alone = ((spoken + backlog) / rate) * (1 + WAIT_MARGIN);
    return alone >= here || alone + (ahead() / rate) * (1 + WAIT_MARGIN) >= here;
  }

  /** When the others would have a chunk there; never without others. */
  #soonest(backlog: number): number {
    let soonest = Number.POSITIVE_INFINITY;
    for (const other of this.#rivals)
      if (other.line !== this.#line) soonest = Math.min(soonest, delivered(other, backlog));
    return soonest;
  }
}

/** When the first chunk of so many bytes would be there. */
function delivered({ arrival, rate, chunk }: Rival, backlog: number): number {
  return arrival + Math.min(chunk, backlog) / rate;
}
