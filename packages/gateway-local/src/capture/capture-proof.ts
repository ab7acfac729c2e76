import type { CaptureState } from "@hawser/status-api/model";

/**
 * How many connections must be redirected, with none of them arriving, before a firewall is blamed. A single one may be a
 * scan, which ends its handshake half-way. A client that waits sends its SYN three times in the first three seconds.
 */
const MISSING = 3;

/**
 * Judges whether redirected connections arrive at the gateway: it compares the rules' counter with the number of accepted
 * connections. Between the two stands the firewall's input chain. Samples are some seconds apart, since a connection that
 * was redirected a moment ago may be accepted a moment later.
 */
export class CaptureProof {
  /** `unproven` until connections arrive, or are missing. */
  state: CaptureState = "unproven";
  /** Redirected connections at the last sample; null when the rules cannot be read. */
  redirected: number | null = null;
  accepted = 0;
  /** How many connections had been redirected when the last one arrived. */
  #before: number | undefined;
  /** Whether enough connections were missing at the last sample. */
  #isSuspect = false;

  handleSample(accepted: number, redirected: number | null): void {
    this.redirected = redirected;
    // The counters of new rules begin at 0.
    const isAnew = redirected !== null && redirected < (this.#before ?? 0);
    if (accepted > this.accepted || this.#before === undefined || isAnew) {
      if (accepted > this.accepted) this.state = "arrives";
      this.accepted = accepted;
      this.#before = redirected ?? undefined;
      this.#isSuspect = false;
      return;
    }
    const isMissing = redirected !== null && redirected - this.#before >= MISSING;
    if (isMissing && this.#isSuspect) this.state = "blocked";
    this.#isSuspect = isMissing;
  }
}
