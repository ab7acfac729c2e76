/**
 * What the command lines of both gateways have in common.
 *
 * ```ts
 * const program = createProgram("hawser-local", version, "the gateway at home");
 * addCheckCommand(program, async (file) => (await import("./config.ts")).loadLocalConfig(file));
 * addViewCommands(program, async (file) => (await import("./config.ts")).findLocalStatus(file));
 * await runCli(program);
 * ```
 */

export {
  collect,
  durationOption,
  endpointArgument,
  hostArgument,
  listenArgument,
  portArgument,
} from "./arguments.ts";
export { addControlCommands } from "./control-commands.ts";
export { describeCommand } from "./describe.ts";
export { manPage } from "./man-page.ts";
export { untilWritten, writeJson } from "./output.ts";
export {
  addCheckCommand,
  addCompletionCommand,
  configOption,
  createProgram,
  jsonOption,
  type StatusOf,
  usualFile,
} from "./program.ts";
export { runCli } from "./run-cli.ts";
export { addViewCommands } from "./view-commands.ts";
