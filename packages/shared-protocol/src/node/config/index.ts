export { z } from "zod";
export type { Endpoint } from "../../wire/frames.ts";
export { changedKeys, type KeyValues } from "./changed-keys.ts";
export { type Cidr, formatCidr, parseCidr } from "./cidr.ts";
export { parseDuration } from "./duration.ts";
export {
  formatEndpoint,
  isLoopbackHost,
  isWildcardHost,
  parseEndpoint,
  parseListenEndpoint,
} from "./endpoint.ts";
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
export { type LoadOptions, loadConfig, parseConfig } from "./load.ts";
export { parseInterface, parseName } from "./names.ts";
export { nearest } from "./nearest.ts";
export { type Parsed, parsed, problem } from "./parsed.ts";
export { parseRate } from "./rate.ts";
export { readFileIn, readSecretFile, readTextFile } from "./secret-file.ts";
export { parseSize } from "./size.ts";
export { type ConfigWatch, type WatchHandlers, watchConfig } from "./watch.ts";
