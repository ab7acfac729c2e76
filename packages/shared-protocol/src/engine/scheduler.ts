import { LEAST_LEAD } from "./parameters.ts";
import type { Subflow } from "./subflow.ts";

/**
 * Which line carries what. Lines are asked in turn, whenever one has room (late binding); which count at all their roles
 * say (`role-policy.ts`). The questions answered here are which one is the earliest, and whether a stream's next chunk
 * should go now on this line or wait for a faster one.
 */

/** How much sooner the faster line must be, as a share of the slower line's time: ECF's beta, against flapping. */
const WAIT_MARGIN = 0.25;

/** The line on which a small frame is at the peer first. */
export function earliestSubflow(subflows: readonly Subflow[], now: number): Subflow | undefined {
  let best: Subflow | undefined;
  let bestArrival = Number.POSITIVE_INFINITY;
  for (const subflow of subflows) {
    const arrival = subflow.arrival(0, now);
    if (arrival < bestArrival) {
      best = subflow;
      bestArrival = arrival;
    }
  }
  return best;
}

/** What a line is compared with. */
interface Rival {
  /** When it would have something that takes no time at the peer, milliseconds from now. */
  readonly arrival: number;
  readonly rate: number;
  readonly chunk: number;
}

/**
 * Whether a stream's next chunk should go now on one line, or wait for a faster one. Waiting pays if the faster lines
 * together would have delivered all that the stream has before this line delivers its one chunk (ECF, CoNEXT 2017,
 * extended to several lines and streams). The line that has a chunk there first never waits. Good for one turn of one line.
 */
export class Competition {
  readonly #line: Subflow;
  readonly #now: number;
  readonly #rivals: Rival[] = [];

  constructor(line: Subflow, usable: readonly Subflow[], now: number) {
    this.#line = line;
    this.#now = now;
    for (const other of usable) if (other !== line) this.#rivals.push(rival(other, now));
  }

  /** With what it was given in this turn. */
  get #own(): Rival {
    return rival(this.#line, this.#now);
  }

  /**
   * What the faster lines deliver, bytes, until this one will surely have delivered a chunk given to it now, of a stream
   * with this `backlog`; 0 where lines are alike.
   */
  lead(backlog: number): number {
    const here = delivered(this.#own, backlog);
    let bytes = 0;
    for (const other of this.#rivals) {
      if (here - delivered(other, backlog) >= LEAST_LEAD)
        bytes += other.rate * (here + this.#line.spread - other.arrival);
    }
    return bytes;
  }

  /**
   * `backlog` is what the stream has ready to send, infinite for one that waits for room to write more. The faster
   * lines also carry what other streams have ahead of it: `ahead` tells how much.
   */
  allows(backlog: number, ahead: () => number): boolean {
    if (backlog === Number.POSITIVE_INFINITY || this.#rivals.length === 0) return true;
    const expected = delivered(this.#own, backlog);
    const lag = expected - Math.min(...this.#rivals.map((other) => delivered(other, backlog)));
    if (lag <= 0) return true;
    const here = lag >= LEAST_LEAD ? expected + this.#line.spread : expected;
    let rate = 0;
    let spoken = 0;
    for (const other of this.#rivals) {
      if (other.arrival >= expected) continue;
      rate += other.rate;
      spoken += other.rate * other.arrival;
    }
    const alone = ((spoken + backlog) / rate) * (1 + WAIT_MARGIN);
    return alone >= here || alone + (ahead() / rate) * (1 + WAIT_MARGIN) >= here;
  }
}

function rival(line: Subflow, now: number): Rival {
  const { rate, chunk } = line;
  return { arrival: line.arrival(0, now), rate, chunk };
}

/** When the first chunk of so many bytes would be there. */
function delivered({ arrival, rate, chunk }: Rival, backlog: number): number {
  return arrival + Math.min(chunk, backlog) / rate;
}
