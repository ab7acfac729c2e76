export { Directory, makeDirectory } from "../files/directory.ts";
export { createFile, editFile, removeFile, saveFile } from "../files/replace-file.ts";
export { scrubPairings } from "../scrub.ts";
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
  inFile,
  systemCode,
} from "./errors.ts";
export {
  cidrField,
  endpointField,
  interfaceField,
  type Limits,
  limitsField,
  listenField,
  listenListField,
  nameField,
  rateField,
  refuseDuplicates,
  sizeField,
  textField,
  timeField,
} from "./fields.ts";
export { findStatus } from "./find-status.ts";
export { loadConfig, parseConfig } from "./load.ts";
export { loadIdentity } from "./load-identity.ts";
export { nearest } from "./nearest.ts";
export { readFileIn, readSecretFile, readTextFile } from "./secret-file.ts";
export { parseSize } from "./size.ts";
export { loadStatus, type StatusConfig, statusField, statusSecretAt } from "./status-config.ts";
export { type ConfigWatch, type WatchHandlers, watchConfig } from "./watch.ts";
