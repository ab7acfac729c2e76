import { changedKeys, type KeyValues } from "@hawser/gateway-kit/config";
import type { LocalConfig } from "./config.ts";

/** The keys whose changes a reload does not follow. */
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

/** The keys of `wanted` that differ from those at the start and take a restart. */
export function keysThatTakeRestart(started: LocalConfig, wanted: LocalConfig): string[] {
  // The rules of a capture that is no longer wanted are removed without a restart.
  const capture = wanted.capture ?? started.capture;
  return changedKeys(RESTART_KEYS, started, { ...wanted, capture });
}
