/** How many flows one peer may have, and how quickly it may open them. */

import { TokenBucket } from "@hawser/multipath-engine";

export interface FlowLimitsConfig {
  /** Open at a time. */
  readonly maxFlows: number;
  /** In the mean of BURST_SECONDS. */
  readonly maxNewFlowsPerSecond: number;
}

/** A home that comes back after an outage opens everything at once: what was not used for so long may come together. */
const BURST_SECONDS = 4;

/** The limits by their names in the configuration. */
export type FlowLimit = "max_flows" | "max_new_flows_per_second";

/** A token bucket, and a count. All sessions of a peer share one. */
export class FlowLimits {
  #maxFlows: number;
  #open = 0;
  readonly #newFlows: TokenBucket;

  /** @param now milliseconds of a steady clock, as in `admit` */
  constructor({ maxFlows, maxNewFlowsPerSecond }: FlowLimitsConfig, now: number) {
    this.#maxFlows = maxFlows;
    this.#newFlows = new TokenBucket(maxNewFlowsPerSecond / 1_000, maxNewFlowsPerSecond * BURST_SECONDS, now);
  }

  /** Limits as they are from now on; flows that are open stay. */
  handleConfig({ maxFlows, maxNewFlowsPerSecond }: FlowLimitsConfig): void {
    this.#maxFlows = maxFlows;
    this.#newFlows.configure(maxNewFlowsPerSecond / 1_000, maxNewFlowsPerSecond * BURST_SECONDS);
  }

  /** Admits one more flow, to be given back by `release`; or says which limit it would exceed. */
  admit(now: number): FlowLimit | undefined {
    // What is refused for its number is an attempt, too: each costs a turn.
    if (!this.#newFlows.take(now)) return "max_new_flows_per_second";
    if (this.#open >= this.#maxFlows) return "max_flows";
    this.#open++;
    return undefined;
  }

  release(): void {
    this.#open--;
  }
}
