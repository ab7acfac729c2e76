export { addControlCommands } from "./control-commands.ts";
export { describeCommand } from "./describe.ts";
export { manPage } from "./man-page.ts";
export {
  addCheckCommand,
  addCompletionCommand,
  collect,
  configOption,
  createProgram,
  durationOption,
  endpointArgument,
  hostArgument,
  jsonOption,
  listenArgument,
  portArgument,
  runCli,
  untilWritten,
  usualFile,
  writeJson,
} from "./program.ts";
export { addViewCommands } from "./view-commands.ts";
