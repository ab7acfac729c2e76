import { changedKeys, type KeyValues } from "@hawser/gateway-kit/config";
import type { RemoteConfig } from "./config.ts";

/** The keys whose changes a reload does not follow. */
const RESTART_KEYS: KeyValues<RemoteConfig> = {
  listen: ({ listen }) => listen,
  "status.listen": ({ status }) => status.listen,
  "status.token": ({ status }) => status.token,
  "limits.memory": ({ limits }) => limits.memoryBytes,
  "limits.drain_seconds": ({ limits }) => limits.drainSeconds,
};

/** The keys of `wanted` that differ from those at the start and take a restart. */
export function keysThatTakeRestart(started: RemoteConfig, wanted: RemoteConfig): string[] {
  return changedKeys(RESTART_KEYS, started, wanted);
}
