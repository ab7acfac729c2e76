/** How many flows one peer may have, and how quickly it may open them. */

export interface FlowLimitsConfig {
  /** Open at a time. */
  readonly maxFlows: number;
  /** In the mean of BURST_SECONDS. */
  readonly maxNewFlowsPerSecond: number;
}

/** A home that comes back after an outage opens everything at once: what was not used for so long may come together. */
const BURST_SECONDS = 4;

/** A token bucket, and a count. All sessions of a peer share one. */
export class FlowLimits {
  #config: FlowLimitsConfig;
  #open = 0;
  #tokens: number;
  #filledAt: number;

  /** @param now milliseconds of a steady clock, as in `admit` */
  constructor(config: FlowLimitsConfig, now: number) {
    this.#config = config;
    this.#tokens = config.maxNewFlowsPerSecond * BURST_SECONDS;
    this.#filledAt = now;
  }

  /** Limits as they are from now on; flows that are open stay. */
  handleConfig(config: FlowLimitsConfig): void {
    this.#config = config;
  }

  /** Admits one more flow, to be given back by `release`; or says which limit it would exceed. */
  admit(now: number): "max_flows" | "max_new_flows_per_second" | undefined {
    const { maxFlows, maxNewFlowsPerSecond: rate } = this.#config;
    this.#tokens = Math.min(rate * BURST_SECONDS, this.#tokens + ((now - this.#filledAt) / 1_000) * rate);
    this.#filledAt = now;
    if (this.#tokens < 1) return "max_new_flows_per_second";
    // What is refused for its number is an attempt, too: each costs a turn.
    this.#tokens--;
    if (this.#open >= maxFlows) return "max_flows";
    this.#open++;
    return undefined;
  }

  release(): void {
    this.#open--;
  }
}
