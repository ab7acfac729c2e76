/** What only tests need. */

export { completionScript, SHELLS } from "./completion.ts";
export { type CommandText, walkCommands } from "./describe.ts";
