export { clip, formatAge, formatBytes, formatDay, formatMs, formatRate, printable } from "./format.ts";
export {
  addCheckCommand,
  addStatusCommand,
  collect,
  configOption,
  createProgram,
  durationArgument,
  endpointArgument,
  listenArgument,
  portArgument,
  readVersion,
  runCli,
} from "./program.ts";
export { renderStatus } from "./render-status.ts";
export { fetchStatus, type StatusCommandOptions, statusCommand, statusUrl } from "./status-command.ts";
