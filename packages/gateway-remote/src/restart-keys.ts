import { changedKeys, type KeyValues } from "@hawser/gateway-kit/config";
import type { RemoteConfig } from "./config.ts";

/** What a reload does not follow. */
const RESTART_KEYS: KeyValues<RemoteConfig> = {
  listen: ({ listen }) => listen,
  "status.listen": ({ status }) => status.listen,
  "status.token": ({ status }) => status.token,
  "limits.memory": ({ limits }) => limits.memoryBytes,
  "limits.drain_seconds": ({ limits }) => limits.drainSeconds,
};

/** The keys of `wanted` that take a restart, as the gateway was started with others. */
export function keysThatTakeRestart(started: RemoteConfig, wanted: RemoteConfig): string[] {
  return changedKeys(RESTART_KEYS, started, wanted);
}
