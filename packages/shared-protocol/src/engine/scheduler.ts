import type { Subflow } from "./subflow.ts";

/**
 * Which line carries what. Lines are asked in turn, whenever one has room (late binding); the questions answered here
 * are which lines count at all, in what order they are asked, and whether a stream's next chunk should go now on this
 * line or wait for a faster one.
 */

/** How much sooner the faster line must be, as a share of the slower line's time: ECF's beta, against flapping. */
const WAIT_MARGIN = 0.25;

/** Lines that differ by less, milliseconds, take the next bytes each. */
const LEAST_LEAD = 30;

/** The lines that may carry data now: the active ones that make progress, or else the backups. */
export function usableSubflows(all: Iterable<Subflow>): Subflow[] {
  const active: Subflow[] = [];
  const backup: Subflow[] = [];
  for (const subflow of all) {
    if (subflow.liveness.state === "suspect" || subflow.liveness.state === "dead") continue;
    if (subflow.role === "active") active.push(subflow);
    else if (subflow.role === "backup") backup.push(subflow);
  }
  return active.length > 0 ? active : backup;
}

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

/** What a line is compared with: one that would have a chunk at the peer before it. */
interface Rival {
  readonly arrival: number;
  readonly rate: number;
}

/**
 * Whether a stream's next chunk should go now on one line, or wait for a faster one. Waiting pays if the faster lines
 * together would have delivered all that the stream has before this line delivers its one chunk (ECF, CoNEXT 2017,
 * extended to several lines and streams). Good for one turn of one line.
 */
export class Competition {
  readonly #line: Subflow;
  readonly #now: number;
  readonly #rivals: Rival[] = [];

  constructor(line: Subflow, usable: readonly Subflow[], now: number) {
    this.#line = line;
    this.#now = now;
    for (const other of usable) {
      if (other !== line) this.#rivals.push({ arrival: other.arrival(0, now), rate: other.model.rate });
    }
  }

  /**
   * What the faster lines deliver, bytes, until this one will surely have delivered `chunk` bytes given to it now; 0 where
   * lines are alike.
   */
  lead(chunk: number): number {
    const here = this.#line.arrival(chunk, this.#now);
    const { spread } = this.#line;
    let bytes = 0;
    for (const { rate, arrival } of this.#rivals)
      if (here - arrival >= LEAST_LEAD) bytes += rate * (here + spread - arrival);
    return bytes;
  }

  /**
   * `backlog` is what the stream has ready to send, infinite for one that waits for room to write more. The faster
   * lines also carry what other streams have ahead of it: `ahead` tells how much.
   */
  allows(backlog: number, ahead: () => number): boolean {
    if (backlog === Number.POSITIVE_INFINITY || this.#rivals.length === 0) return true;
    const expected = this.#line.arrival(Math.min(this.#line.model.chunk, backlog), this.#now);
    let here = expected;
    let rate = 0;
    let spoken = 0;
    for (const rival of this.#rivals) {
      if (rival.arrival >= expected) continue;
      if (expected - rival.arrival >= LEAST_LEAD) here = expected + this.#line.spread;
      rate += rival.rate;
      spoken += rival.rate * rival.arrival;
    }
    if (rate === 0) return true;
    const alone = ((spoken + backlog) / rate) * (1 + WAIT_MARGIN);
    return alone >= here || alone + (ahead() / rate) * (1 + WAIT_MARGIN) >= here;
  }
}
