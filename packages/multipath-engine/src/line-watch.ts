/** What the system knows of a subflow's connection (TCP_INFO of tcp(7)). */
export interface LineReport {
  /** Bytes that were written and have not come to the peer's system, in order or not. */
  readonly outstanding: number;
  /** Those of them that it has not let out yet, for the congestion window or to pace them. */
  readonly unsent: number;
  /** Bytes of a TCP segment. */
  readonly segment: number;
  /** Something is missing at the peer, and what came behind it waits there. */
  readonly hasHole: boolean;
  /** The least round trip of a segment, milliseconds; the handshake's to begin with. */
  readonly minRtt: number;
  /** How much longer than at its least a segment takes now, there and back, milliseconds. */
  readonly queue: number;
}

/** How fast bytes arrived, and since when that was measured. */
export interface ArrivalRate {
  readonly rate: number;
  readonly since: number;
}

/** The least time over which a rate is taken, milliseconds. */
const MIN_SPAN = 20;

/**
 * What the system tells of one line, look by look. It is ahead of the session's own acknowledgements: these wait for
 * whole records, and behind a lost segment for its repetition, though the line works and the rest has arrived.
 */
export class LineWatch {
  #report: LineReport | undefined;
  /** The subflow's count of bytes sent when the report was made. */
  #sent = 0;
  #arrived = 0;
  #spanAt = 0;
  #spanArrived = 0;
  #spanHasHole = false;

  /** The latest report, if there ever was one. */
  get report(): LineReport | undefined {
    return this.#report;
  }

  /** Takes a report in, `sent` bytes having been sent until then. Returns whether more has arrived than before. */
  handleReport(report: LineReport, sent: number): boolean {
    this.#report = report;
    this.#sent = sent;
    this.#spanHasHole ||= report.hasHole;
    const arrived = sent - report.outstanding;
    if (arrived <= this.#arrived) return false;
    this.#arrived = arrived;
    return true;
  }

  /** Bytes that have not arrived, of `sent` until now. */
  outstanding(sent: number): number {
    return this.#report ? this.#report.outstanding + sent - this.#sent : Number.POSITIVE_INFINITY;
  }

  /** Whether the system has told that all of `sent` has arrived, if it tells anything. */
  isSettled(sent: number): boolean {
    return !this.#report || this.outstanding(sent) <= 0;
  }

  /** Bytes of `sent` until now that the system may hold back; without a report it is not known to hold back any. */
  unsent(sent: number): number {
    return this.#report ? this.#report.unsent + sent - this.#sent : Number.NEGATIVE_INFINITY;
  }

  /** The rate of arrival over the last span of at least `ms`, if it is over; only where something was missing. */
  takeRate(ms: number, now: number): ArrivalRate | undefined {
    const since = this.#spanAt;
    const span = now - since;
    if (span < Math.max(ms, MIN_SPAN)) return undefined;
    const rate = (this.#arrived - this.#spanArrived) / span;
    const hadHole = this.#spanHasHole;
    this.#spanAt = now;
    this.#spanArrived = this.#arrived;
    this.#spanHasHole = false;
    return hadHole ? { rate, since } : undefined;
  }
}
