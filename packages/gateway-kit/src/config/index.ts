/**
 * Errors, secret files, and values as people write them. This entry loads neither sockets nor npm packages, so that a
 * command that needs no more than this starts fast. What reads configuration files is the entry `./schema`.
 *
 * ```ts
 * const key = readSecretFile("key.txt"); // throws ConfigError: unreadable, or open to others
 * const grace = parseDuration("24h"); // { ok: true, value: 86_400_000 }
 * ```
 */

export { scrubPairings } from "../scrub.ts";
export { PATH_STATES } from "../session/path-state.ts";
export { MAX_SPEEDTEST_BYTES } from "../speedtest/limits.ts";
export { readVersion } from "../version.ts";
export { changedKeys, type KeyValues } from "./changed-keys.ts";
export { type Cidr, formatCidr, parseCidr } from "./cidr.ts";
export { parseDuration } from "./duration.ts";
export {
  atKey,
  CodedError,
  ConfigError,
  ErrorCode,
  ExitCode,
  type Finding,
  formatFinding,
  inFile,
  systemCode,
} from "./errors.ts";
export { loadIdentity } from "./load-identity.ts";
export { nearest } from "./nearest.ts";
export { parseJson } from "./parse-json.ts";
export {
  installCommand,
  readFileIn,
  readSecretFile,
  readTextFile,
  whyExposed,
  whyForeign,
} from "./secret-file.ts";
export { parseSize } from "./size.ts";
export type { StatusConfig } from "./status-config.ts";
export { type ConfigWatch, type WatchHandlers, watchConfig } from "./watch.ts";
