/**
 * What configuration files may say, and how they are read. This entry loads zod and smol-toml.
 *
 * ```ts
 * const schema = z.strictObject({ listen: listenListField, limits: limitsField });
 * const config = loadConfig("/etc/hawser/remote.toml", schema); // throws ConfigError
 * ```
 */

export {
  cidrField,
  endpointField,
  interfaceField,
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
export { formatToml, loadConfig, parseConfig, parseToml } from "./load.ts";
export { loadStatus, statusField, statusSecretAt } from "./status-config.ts";
