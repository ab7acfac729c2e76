import type { CaptureState } from "@hawser/status-api/model";

/**
 * So many connections must have been redirected without one that arrived: a single one may be a scan's, which ends its
 * handshake half-way. A client that waits alone sends its SYN three times in the first three seconds.
 */
const MISSING = 3;

/**
 * Whether the connections that the redirect rules turn to the gateway arrive there, by the rules' counter against what
 * was accepted. Between the two stands the firewall's input chain. Judged from sample to sample, some seconds apart: what
 * was redirected a moment ago may be accepted a moment later.
 */
export class CaptureProof {
  /** `unproven` until something arrives, or is missing. */
  state: CaptureState = "unproven";
  /** As the last sample had it; null when the rules cannot be read. */
  redirected: number | null = null;
  accepted = 0;
  /** What had been redirected when something arrived last. */
  #before: number | undefined;
  /** At the last sample, enough were missing. */
  #isSuspect = false;

  handleSample(accepted: number, redirected: number | null): void {
    this.redirected = redirected;
    // Rules that were made anew count from zero.
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
