import type { FlowRoom, GreedySource } from "../schemas/status.ts";

/** One sentence: which source has so many flows that new ones are refused, and what happens to them. */
export function greedyText({ limit }: Pick<FlowRoom, "limit">, greedy: GreedySource): string {
  const { source, flows, dialling } = greedy;
  const rest = flows - dialling;
  return dialling > rest
    ? `${source} dials ${dialling} destinations that do not answer: its oldest attempts are given up, so that others are served`
    : `${source} has ${flows} of the ${limit} flows that there is room for: its new ones are refused, so that others are served`;
}
