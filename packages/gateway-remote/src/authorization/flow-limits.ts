/** Limits how many flows one peer may have open, and how quickly it may open them. */

import { TokenBucket } from "@hawser/multipath-engine";

export interface FlowLimitsConfig {
  /** The most flows that are open at a time. */
  readonly maxFlows: number;
  /** The most new flows a second, as the mean over BURST_SECONDS. */
  readonly maxNewFlowsPerSecond: number;
}

/**
 * A home that comes back after an outage opens all its flows at once, so the unused rate of this time may be spent
 * together.
 */
const BURST_SECONDS = 4;

/** The limits by their names in the configuration. */
export type FlowLimit = "max_flows" | "max_new_flows_per_second";

/** A token bucket and a count. All sessions of a peer share one object. */
export class FlowLimits {
  #maxFlows: number;
  #open = 0;
  readonly #newFlows: TokenBucket;

  /** @param now milliseconds of a steady clock, as in `admit` */
  constructor({ maxFlows, maxNewFlowsPerSecond }: FlowLimitsConfig, now: number) {
    this.#maxFlows = maxFlows;
    this.#newFlows = new TokenBucket(maxNewFlowsPerSecond / 1_000, maxNewFlowsPerSecond * BURST_SECONDS, now);
  }

  /** Takes over changed limits. Open flows stay. */
  handleConfig({ maxFlows, maxNewFlowsPerSecond }: FlowLimitsConfig): void {
    this.#maxFlows = maxFlows;
    this.#newFlows.configure(maxNewFlowsPerSecond / 1_000, maxNewFlowsPerSecond * BURST_SECONDS);
  }

  /** Admits one more flow, which `release` gives back; or says which limit it would exceed. */
  admit(now: number): FlowLimit | undefined {
    // A flow that is then refused for `max_flows` has taken from the rate, too: each attempt costs a turn.
    if (!this.#newFlows.take(now)) return "max_new_flows_per_second";
    if (this.#open >= this.#maxFlows) return "max_flows";
    this.#open++;
    return undefined;
  }

  release(): void {
    this.#open--;
  }
}
