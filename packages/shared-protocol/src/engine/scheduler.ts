import type { Subflow } from "./subflow.ts";

/**
 * Which line carries what. Lines are asked in turn, whenever one has room (late binding); the questions answered here
 * are which lines count at all, in what order they are asked, and whether a stream's next chunk should go now on this
 * line or wait for a faster one.
 */

/** How much sooner the faster line must be, as a share of the slower line's time: ECF's beta, against flapping. */
const WAIT_MARGIN = 0.25;

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
export function earliestSubflow(subflows: readonly Subflow[]): Subflow | undefined {
  let best: Subflow | undefined;
  let bestArrival = Number.POSITIVE_INFINITY;
  for (const subflow of subflows) {
    const arrival = subflow.arrival(0);
    if (arrival < bestArrival) {
      best = subflow;
      bestArrival = arrival;
    }
  }
  return best;
}

/**
 * Whether the next chunk of a stream should go on `line` now, `backlog` being what the stream has ready to send
 * (infinite for one that waits for room to write more). Waiting pays if the faster lines together would have
 * delivered the whole backlog before this line delivers its one chunk (ECF, CoNEXT 2017, extended to several lines).
 */
export function shouldSend(line: Subflow, backlog: number, subflows: readonly Subflow[]): boolean {
  if (backlog === Number.POSITIVE_INFINITY) return true;
  const here = line.arrival(Math.min(line.model.chunk, backlog));
  let rate = 0;
  let underWay = 0;
  let latency = 0;
  for (const other of subflows) {
    if (other === line || other.arrival(0) >= here) continue;
    rate += other.model.rate;
    underWay += other.unackedBytes;
    latency = Math.max(latency, other.model.minRtt / 2);
  }
  if (rate === 0) return true;
  const elsewhere = latency + (underWay + backlog) / rate;
  return elsewhere * (1 + WAIT_MARGIN) >= here;
}
