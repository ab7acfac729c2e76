/** Download and upload as the home sees them, at both ends: what the remote gateway sends is a download. */

import type { PathStatus, StatusReport } from "../schemas/status.ts";

/** Towards the home, or away from it. */
export type Direction = "down" | "up";
type Gateway = StatusReport["role"];
type Rates = Pick<PathStatus, "sendRateBps" | "receiveRateBps">;

/** Which of a path's rates belongs to the direction. */
export function rateKey(gateway: Gateway, direction: Direction): keyof Rates {
  return (gateway === "local") === (direction === "down") ? "receiveRateBps" : "sendRateBps";
}

/** The rates of a path by direction, bits per second. */
export function homeRates(gateway: Gateway, path: Rates): Readonly<Record<Direction, number>> {
  return { down: path[rateKey(gateway, "down")], up: path[rateKey(gateway, "up")] };
}

/** Bytes by direction, of what this gateway has sent and received. */
export function homeBytes(
  gateway: Gateway,
  sent: number,
  received: number,
): Readonly<Record<Direction, number>> {
  return gateway === "local" ? { down: received, up: sent } : { down: sent, up: received };
}
