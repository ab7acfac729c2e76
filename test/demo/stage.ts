import type { ShapedLineOptions } from "../lab/line.ts";
import type { Host } from "../lab/namespace.ts";
import type { Target } from "../lab/traffic/dial.ts";

/** A line of the demo: everything of it is given. */
export type DemoLine = ShapedLineOptions &
  Required<Pick<ShapedLineOptions, "down" | "up">> & {
    delayMs: number;
    queueMs: number;
  };

/** Two ADSL lines as they come to a house: bit/s of IP packets, one-way delay, the modems' queues. */
export const LINES: readonly [DemoLine, DemoLine] = [
  { name: "adsl1", down: 8.41e6, up: 0.8e6, delayMs: 12, queueMs: 150 },
  { name: "adsl2", down: 8.76e6, up: 0.8e6, delayMs: 15, queueMs: 150 },
];

/** Where the demo plays: a house in network namespaces, or this machine's loopback. */
export interface Stage {
  /** The drawing of it, with addresses. */
  readonly drawing: string;
  /** Where the client runs. */
  readonly client: Host;
  /** What the client connects to for its bytes to go through Hawser. */
  readonly through: Target;
  /** The origin over one line alone, without Hawser: in the order of LINES. */
  readonly plain: readonly Target[];
  /** What each line has brought into the house so far, bytes of IP: in the order of LINES. */
  carried(): Promise<readonly number[]>;
  /** The status servers, as this machine's own browser reaches them. */
  readonly dashboards: { readonly local: string; readonly remote: string };
  /** Stops the gateways as systemd would, and removes everything. */
  close(): Promise<void>;
}
