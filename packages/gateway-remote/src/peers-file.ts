/** Files that change as a whole or not at all, whoever reads them and whenever the power goes. */

import {
  closeSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  realpathSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { CodedError, ErrorCode, readTextFile, systemCode } from "@hawser/shared-protocol/node";

/** A file of the owner's alone. */
const SECRET_MODE = 0o600;

interface Owner {
  /** Undefined: whoever writes it. */
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  readonly mode: number;
}

/**
 * Writes a file that must not exist, mode 0600. Root's new file belongs to the owner of its directory: root
 * prepares /etc/hawser for a service that runs as another user.
 * @throws CodedError CONFIG_EXISTS or CONFIG_UNWRITABLE
 */
export function createFile(file: string, text: string): void {
  const temporary = temporaryName(file);
  try {
    writeTemporary(temporary, text, { ...newOwner(file), mode: SECRET_MODE });
  } catch (error) {
    throw unwritable(file, error);
  }
  try {
    // link, unlike rename, fails when the name is taken.
    linkSync(temporary, file);
    syncDirectory(file);
  } catch (error) {
    throw unwritable(file, error);
  } finally {
    unlinkSync(temporary);
  }
}

/**
 * Replaces a file's text by what `edit` makes of it; mode and owner stay. A symbolic link is followed.
 * @throws CodedError CONFIG_UNREADABLE or CONFIG_UNWRITABLE, and what `edit` throws; the file is then as it was.
 */
export function editFile(named: string, edit: (text: string) => string): void {
  const file = resolveLink(named);
  const temporary = temporaryName(file);
  let fd: number;
  try {
    // Its existence is the lock: of two edits at a time, one would be lost.
    fd = openSync(temporary, "wx", SECRET_MODE);
  } catch (error) {
    throw unwritable(named, error);
  }
  try {
    const { text, stats } = readTextFile(named);
    fill(fd, edit(text), { uid: stats.uid, gid: stats.gid, mode: stats.mode & 0o7777 });
    renameSync(temporary, file);
    syncDirectory(file);
  } catch (error) {
    unlinkQuietly(temporary);
    throw error instanceof CodedError ? error : unwritable(named, error);
  } finally {
    closeSync(fd);
  }
}

function newOwner(file: string): { uid: number | undefined; gid: number | undefined } {
  const { uid, gid } = statSync(dirname(file));
  return process.getuid?.() === 0 ? { uid, gid } : { uid: undefined, gid: undefined };
}

function writeTemporary(temporary: string, text: string, owner: Owner): void {
  const fd = openSync(temporary, "wx", SECRET_MODE);
  try {
    fill(fd, text, owner);
  } catch (error) {
    unlinkQuietly(temporary);
    throw error;
  } finally {
    closeSync(fd);
  }
}

function fill(fd: number, text: string, { uid, gid, mode }: Owner): void {
  writeFileSync(fd, text);
  const now = fstatSync(fd);
  // Only root may give a file away; for everybody else it is their own already, or they must be told.
  if (uid !== undefined && gid !== undefined && (now.uid !== uid || now.gid !== gid))
    fchownSync(fd, uid, gid);
  fchmodSync(fd, mode);
  fsyncSync(fd);
}

function syncDirectory(file: string): void {
  const fd = openSync(dirname(file), "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function unlinkQuietly(file: string): void {
  try {
    unlinkSync(file);
  } catch {
    // Renamed, or gone already.
  }
}

function temporaryName(file: string): string {
  return `${file}.new`;
}

function resolveLink(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return file;
  }
}

function unwritable(file: string, error: unknown): CodedError {
  const code = systemCode(error);
  const path = error instanceof Error && "path" in error ? String(error.path) : "";
  if (code === "EEXIST" && path.endsWith(".new") && !("dest" in Object(error))) {
    const what = `another edit of it is under way, or was broken off; if none is: rm ${path}`;
    return new CodedError(ErrorCode.configUnwritable, `${file}: ${what}`, { cause: error });
  }
  if (code === "EEXIST") {
    const what = "exists already; name another file, or move it away";
    return new CodedError(ErrorCode.configExists, `${file}: ${what}`, { cause: error });
  }
  const reasons: ReadonlyMap<string | undefined, string> = new Map([
    ["ENOENT", `its directory does not exist; run: mkdir -p ${dirname(file)}`],
    ["EACCES", "permission denied; run this as the owner of the file and its directory"],
    ["EPERM", "its owner cannot be kept; run this as the owner of the file"],
    ["EROFS", "the file system is read-only"],
  ]);
  const what = reasons.get(code) ?? code ?? String(error);
  return new CodedError(ErrorCode.configUnwritable, `${file}: cannot be written: ${what}`, { cause: error });
}
