/** Folders of configuration files, such as peers/ of the remote gateway. */

import { chmodSync, chownSync, lstatSync, mkdirSync, readdirSync, renameSync, rmdirSync } from "node:fs";
import { systemCode } from "../config/errors.ts";
import { isForGroup } from "../config/secret-file.ts";
import { type Directory, locate, openDirectory, UnsafeNameError } from "./directory.ts";
import { lockFor, PATIENCE_MS, reading, syncDirectory, writing } from "./replace-file.ts";

const OWN_MODE = 0o700;
/** One of root's that a service may list. */
const SERVICE_MODE = 0o750;
/** What a folder is called until its owner and mode are right: nobody finds it half made. */
const UNFINISHED = ".hawser.unfinished.d";

/** The names in a folder, sorted; none when it does not exist. @throws ConfigError CONFIG_UNREADABLE */
export function listFolder(folder: string): string[] {
  return reading(folder, () => {
    try {
      using directory = openDirectory(folder);
      return readdirSync(directory.at(".")).sort();
    } catch (error) {
      if (systemCode(error) === "ENOENT") return [];
      throw error;
    }
  });
}

/**
 * Makes a folder for its owner alone, unless it exists. As with `createFile`, root's new folder belongs to the owner of
 * the directory that it is in; where that is root's own and for a group, the group may list it.
 * @throws CodedError CONFIG_UNWRITABLE or CONFIG_BUSY
 */
export function makeFolder(folder: string, patienceMs = PATIENCE_MS): void {
  writing(folder, () => {
    using place = locate(folder);
    const { directory, name } = place;
    using _lock = lockFor(folder, directory, patienceMs);
    if (lstatSync(directory.at(name), { throwIfNoEntry: false })) return;
    makeUnfinished(directory);
    renameSync(directory.at(UNFINISHED), directory.at(name));
    syncDirectory(directory);
  });
}

function makeUnfinished(above: Directory): void {
  // Nobody else makes one while the directory is locked: this one was left by a crash, and is empty.
  if (lstatSync(above.at(UNFINISHED), { throwIfNoEntry: false })) rmdirSync(above.at(UNFINISHED));
  mkdirSync(above.at(UNFINISHED), { mode: OWN_MODE });
  if (process.geteuid?.() !== 0) return;
  using made = above.enter(UNFINISHED);
  // The owner of the directory above may have put another in its place, which must not be given to them.
  if (made.stats.uid !== 0 || readdirSync(made.at(".")).length > 0)
    throw new UnsafeNameError("was taken away by another user while it was made; try again");
  const { uid, gid } = above.stats;
  chownSync(made.at("."), uid, gid);
  chmodSync(made.at("."), uid === 0 && isForGroup(above.stats) ? SERVICE_MODE : OWN_MODE);
}
