/** Files that change as a whole or not at all, whoever reads them and whenever the power goes. */

import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { CodedError, ErrorCode, systemCode } from "../config/errors.ts";
import { isForGroup, readFileIn, unreadable } from "../config/secret-file.ts";
import { type Directory, locate, UnsafeNameError } from "./directory.ts";
import { lockDirectory } from "./directory-lock.ts";

/** A file of the owner's alone. */
const SECRET_MODE = 0o600;
/** One of root's that a service may read. */
const SERVICE_MODE = 0o640;
/** How long an edit waits for another one, milliseconds: both are of a small file. */
export const PATIENCE_MS = 5_000;
/**
 * What a locked directory's new file is called until it is whole. One name is enough, as one edit at a time writes there:
 * so each edit removes what a crash has left of another one.
 */
const UNFINISHED = ".hawser.unfinished";
const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

interface Owner {
  /** Undefined: whoever writes it. */
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  readonly mode: number;
}

/**
 * Writes a file that must not exist, for its owner alone. Root's new file belongs to the owner of its directory: root
 * prepares /etc/hawser for a service that runs as another user. Where the directory is root's own and for a group, that
 * group may read the file.
 * @throws CodedError CONFIG_EXISTS, CONFIG_UNWRITABLE or CONFIG_BUSY
 */
export function createFile(file: string, text: string, patienceMs = PATIENCE_MS): void {
  writing(file, () => {
    using place = locate(file);
    const { directory, name } = place;
    using _lock = lockFor(file, directory, patienceMs);
    const fresh = writeFresh(directory, text, ownerOfNew(directory));
    try {
      // link, unlike rename, fails when the name is taken.
      linkSync(fresh, directory.at(name));
    } catch (error) {
      throw systemCode(error) === "EEXIST" ? existsAlready(file) : error;
    } finally {
      rmSync(fresh, { force: true });
    }
    syncDirectory(directory);
  });
}

/**
 * Replaces a file's text by what `edit` makes of it; mode and owner stay. A symbolic link is followed, as `locate` does.
 * @throws CodedError CONFIG_UNREADABLE, CONFIG_UNWRITABLE, CONFIG_BUSY, and what `edit` throws; the file is then as it was
 */
export function editFile(file: string, edit: (text: string) => string, patienceMs = PATIENCE_MS): void {
  using place = reading(file, () => locate(file));
  const { directory, name } = place;
  using _lock = writing(file, () => lockFor(file, directory, patienceMs));
  const { text, stats } = reading(file, () => readFileIn(directory, name));
  const edited = edit(text);
  if (edited === text) return;
  writing(file, () => {
    const owner = { uid: stats.uid, gid: stats.gid, mode: stats.mode & 0o777 };
    renameSync(writeFresh(directory, edited, owner), directory.at(name));
    syncDirectory(directory);
  });
}

/** Removes a file, once no edit of it is under way. @throws CodedError CONFIG_UNWRITABLE or CONFIG_BUSY */
export function removeFile(file: string): void {
  writing(file, () => {
    using place = locate(file);
    const { directory, name } = place;
    using _lock = lockFor(file, directory, PATIENCE_MS);
    // Unlike rmSync, it tells why it failed.
    unlinkSync(directory.at(name));
    syncDirectory(directory);
  });
}

/**
 * As `editFile` with a text that is known, for one writer, who takes no lock and does not wait for the disk.
 * @throws the error of a system call
 */
export async function saveFile(directory: Directory, name: string, text: string): Promise<void> {
  const fresh = directory.at(`.${name}.unfinished`);
  await rm(fresh, { force: true });
  const handle = await open(fresh, NEW_FILE, SECRET_MODE);
  try {
    const { uid, gid, mode } = ownerOfNew(directory);
    if (uid !== undefined && gid !== undefined) await handle.chown(uid, gid);
    await handle.chmod(mode);
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(fresh, directory.at(name));
}

function ownerOfNew({ stats }: Directory): Owner {
  if (process.geteuid?.() !== 0) return { uid: undefined, gid: undefined, mode: SECRET_MODE };
  const isRootsForGroup = stats.uid === 0 && isForGroup(stats);
  return { uid: stats.uid, gid: stats.gid, mode: isRootsForGroup ? SERVICE_MODE : SECRET_MODE };
}

/** Writes what is to get its name; returns its path. */
function writeFresh(directory: Directory, text: string, owner: Owner): string {
  const fresh = directory.at(UNFINISHED);
  // Nobody else writes one while the directory is locked: this one was left by a crash.
  rmSync(fresh, { force: true });
  const fd = openSync(fresh, NEW_FILE, SECRET_MODE);
  try {
    fill(fd, text, owner);
    return fresh;
  } catch (error) {
    rmSync(fresh, { force: true });
    throw error;
  } finally {
    closeSync(fd);
  }
}

function fill(fd: number, text: string, { uid, gid, mode }: Owner): void {
  writeFileSync(fd, text);
  const now = fstatSync(fd);
  // Only root may give a file to another user. For anybody else a file that is not their own is an error.
  if (uid !== undefined && gid !== undefined && (now.uid !== uid || now.gid !== gid))
    fchownSync(fd, uid, gid);
  fchmodSync(fd, mode);
  fsyncSync(fd);
}

export function syncDirectory(directory: Directory): void {
  const fd = openSync(directory.at("."), "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** @throws CodedError CONFIG_BUSY, or the error of a system call */
export function lockFor(file: string, directory: Directory, patienceMs: number): Disposable {
  const lock = lockDirectory(directory, patienceMs);
  if (lock) return lock;
  const what = `another edit of it is under way; try again (whose it is: fuser -v ${directory.path})`;
  throw new CodedError(ErrorCode.configBusy, `${file}: ${what}`);
}

export function reading<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw unreadable(file, error);
  }
}

export function writing<T>(file: string, write: () => T): T {
  try {
    return write();
  } catch (error) {
    throw error instanceof CodedError ? error : unwritable(file, error);
  }
}

function existsAlready(file: string): CodedError {
  return new CodedError(
    ErrorCode.configExists,
    `${file}: exists already; name another file, or move it away`,
  );
}

function unwritable(file: string, error: unknown): CodedError {
  const reasons: ReadonlyMap<string | undefined, string> = new Map([
    ["ENOENT", `its directory does not exist; run: mkdir -p ${dirname(file)}`],
    ["EACCES", "permission denied; run this as the owner of the file and its directory"],
    ["EPERM", "its owner cannot be kept; run this as the owner of the file"],
    ["EROFS", "the file system is read-only"],
    ["EISDIR", `it is a directory; run: rm -r ${file}`],
  ]);
  const code = systemCode(error);
  const isUnsafe = error instanceof UnsafeNameError;
  const what = isUnsafe ? error.message : `cannot be written: ${reasons.get(code) ?? code ?? String(error)}`;
  return new CodedError(ErrorCode.configUnwritable, `${file}: ${what}`, { cause: error });
}
