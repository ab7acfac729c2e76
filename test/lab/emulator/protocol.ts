/** The messages between the emulator process and the process that started it: JSON, one object a line. */
import type { DirectionCounters, DirectionSettings } from "./line-model.ts";

/** JSON has no Infinity: null stands for "without a limit". */
export type WireSettings = { [K in keyof DirectionSettings]?: DirectionSettings[K] | null };

/** One line: a device of the same name in two namespaces. `up` is the direction of packets that enter at the router. */
export interface EmulatedLine {
  name: string;
  routerNamespace: string;
  remoteNamespace: string;
  down: WireSettings;
  up: WireSettings;
}

/** The whole first argument of the process. */
export interface EmulatorConfig {
  lines: EmulatedLine[];
  /** The seed of the random losses. */
  seed: number;
}

export type Request =
  | { id: number; op: "set"; line: string; down: WireSettings; up: WireSettings }
  | { id: number; op: "counters" };

export interface LineCounters {
  down: DirectionCounters;
  up: DirectionCounters;
}

export interface CountersReply {
  lines: Record<string, LineCounters>;
  /** CPU time of the process so far: its own code, and the kernel on its behalf (which carries the packets on). */
  cpu: { userMs: number; systemMs: number };
  /** How often the loop woke up. */
  wakeups: number;
  /** The greatest delay of a delivery beyond the packet's arrival time since the last reading. */
  latestMs: number;
}

export type Reply =
  | { ready: true; realtime: boolean }
  | { id: number; result: CountersReply | null }
  | { id: number; error: string };

/** The settings with limits as numbers again. */
export function fromWire(settings: WireSettings): Partial<DirectionSettings> {
  const entries = Object.entries(settings).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([key, value]) => [key, value === null ? Infinity : value]));
}

/** The settings with limits as JSON can carry them. */
export function toWire(settings: Partial<DirectionSettings>): WireSettings {
  const entries = Object.entries(settings).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([key, value]) => [key, value === Infinity ? null : value]));
}
