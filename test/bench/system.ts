/** What is compared: it takes the house's TCP over all lines while it stands. */

export type SystemName = "hawser" | "mptcp";

export interface System {
  readonly name: SystemName;
  /** Waits until all lines are in use again. */
  whenReady(): Promise<void>;
  /** What the remote side has sent towards the LAN; undefined where that is not told. */
  sent(): Promise<{ readonly bytes: number; readonly redundant: number } | undefined>;
  stop(): Promise<void>;
}
