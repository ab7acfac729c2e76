/**
 * Files that are changed whole or not at all, also by several processes at once. This entry loads linux-sockets.
 *
 * ```ts
 * editFile("/etc/hawser/remote.toml", (text) => `${text}# a line more\n`); // throws CodedError; the file is as it was
 * ```
 */

export { Directory, makeDirectory } from "./directory.ts";
export { listFolder, makeFolder } from "./folder.ts";
export { createFile, editFile, removeFile, saveFile } from "./replace-file.ts";
