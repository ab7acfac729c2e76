import { changedKeys, type KeyValues } from "@hawser/gateway-kit/config";
import type { LocalConfig } from "./config.ts";

/** What a reload does not follow. */
const RESTART_KEYS: KeyValues<LocalConfig> = {
  "capture.listen": ({ capture }) => capture?.listen,
  "socks.listen": ({ socks }) => socks?.listen,
  forward: ({ forwards }) => forwards,
  "status.listen": ({ status }) => status.listen,
  "status.token": ({ status }) => status.token,
  "limits.memory": ({ limits }) => limits.memoryBytes,
  "limits.drain_seconds": ({ limits }) => limits.drainSeconds,
  state: ({ state }) => state,
};

/** The keys of `wanted` that take a restart, as the gateway was started with others. */
export function keysThatTakeRestart(started: LocalConfig, wanted: LocalConfig): string[] {
  // A capture that is no longer wanted ends with its rules.
  const capture = wanted.capture ?? started.capture;
  return changedKeys(RESTART_KEYS, started, { ...wanted, capture });
}
