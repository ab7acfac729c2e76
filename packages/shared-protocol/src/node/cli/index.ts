export { addControlCommands } from "./control-commands.ts";
export { type CommandText, describeCommand, walkCommands } from "./describe.ts";
export { clip, formatAge, formatBytes, formatDay, formatMs, formatRate, printable } from "./format.ts";
export { GatewayApi } from "./gateway-api.ts";
export { type ManPageOptions, manPage } from "./man-page.ts";
export {
  addCheckCommand,
  addCompletionCommand,
  collect,
  configOption,
  createProgram,
  durationArgument,
  durationOption,
  endpointArgument,
  hostArgument,
  jsonOption,
  listenArgument,
  portArgument,
  readVersion,
  runCli,
  untilWritten,
  usualFile,
  writeJson,
} from "./program.ts";
export { renderStatus } from "./render-status.ts";
export { addViewCommands } from "./view-commands.ts";
