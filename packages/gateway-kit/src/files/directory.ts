/**
 * Directories that are held open, so that a name in them leads to the same place from one call to the next.
 *
 * Root's commands work in directories of the service's user (/etc/hawser). Who owns a directory can swap the names in it
 * at any moment: for a symbolic link to another file, or back. Whoever resolves a name first and uses it afterwards
 * works on two different files. So a path is walked once, directory by directory, and what follows is done in the
 * directory that was reached.
 *
 * Node has no openat(2), but a path below /proc/self/fd/N is the same thing: the kernel goes on from the open directory.
 */

import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
  type Stats,
  statfsSync,
} from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { systemCode } from "../config/errors.ts";

/** linux/fcntl.h; Node has no name for it. It opens directories that this process may pass through, but not list, too. */
const O_PATH = 0o10000000;
const DIRECTORY = constants.O_DIRECTORY | O_PATH;
/** A symbolic link is not followed. Opening a FIFO does not wait until somebody writes into it. */
const FILE = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** linux/magic.h. Some symbolic links of /proc lead to a file that has no path: only the kernel can follow them. */
const PROC_SUPER_MAGIC = 0x9fa0;
/** The kernel follows as many in one path (path_resolution(7)). */
const MAX_LINKS = 40;
const OWN_MODE = 0o700;

/**
 * Who can change what the names in a directory lead to. `kept`: root and this process's user alone. `shared`: everybody
 * may add names, but only owners take theirs away (/tmp). `foreign`: another user, who owns it, or one above it.
 */
type Names = "kept" | "shared" | "foreign";

/** A name is not followed, because another user could make it lead to any file of the machine. */
export class UnsafeNameError extends Error {
  override readonly name = "UnsafeNameError";
}

/** An open directory. */
export class Directory implements Disposable {
  /** Where it is, without symbolic links; for messages. */
  readonly path: string;
  readonly stats: Stats;
  readonly #fd: number;
  readonly #names: Names;

  private constructor(fd: number, path: string, above: Names) {
    this.#fd = fd;
    this.path = path;
    this.stats = fstatSync(fd);
    this.#names = above === "foreign" ? above : whoseNames(this.stats);
  }

  static root(): Directory {
    return new Directory(openSync("/", DIRECTORY), "/", "kept");
  }

  /** A path for a name in this directory, for any call that takes paths. It is valid until the directory is closed. */
  at(name: string): string {
    return `/proc/self/fd/${this.#fd}/${name}`;
  }

  /** Opens a directory in it. */
  enter(name: string): Directory {
    // `locate` has followed the links that it found, except those of /proc. In a foreign directory a new link may stand
    // here by now: it is not followed.
    const follow = this.#names === "kept" ? 0 : constants.O_NOFOLLOW;
    const fd = openSync(this.at(name), DIRECTORY | follow);
    return new Directory(fd, resolve(this.path, name), this.#names);
  }

  /**
   * Opens a file in it for reading. In a directory where others can change names: only a regular file that is in no
   * other directory, and that belongs to who may be expected there.
   * @throws UnsafeNameError
   */
  openFile(name: string): number {
    if (this.#names === "kept") return openSync(this.at(name), constants.O_RDONLY);
    const fd = this.#openUnfollowed(name);
    try {
      this.#refuseStrange(fstatSync(fd));
      return fd;
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  #openUnfollowed(name: string): number {
    try {
      return openSync(this.at(name), FILE);
    } catch (error) {
      if (systemCode(error) === "ELOOP") throw this.#unsafeLink();
      throw error;
    }
  }

  #refuseStrange(file: Stats): void {
    // Opening a directory succeeds here; reading it fails, and that error says what it is.
    if (!file.isFile() && !file.isDirectory()) throw this.#unsafe("is no regular file");
    if (file.isFile() && file.nlink > 1)
      throw this.#unsafe("is a hard link to a file that is elsewhere, too");
    if (!isTrusted(file.uid) && file.uid !== this.stats.uid)
      throw this.#unsafe(`belongs to user ${file.uid}, who owns neither it nor this program`);
  }

  /** Where a symbolic link leads; undefined: it is none, or the kernel alone can follow it. @throws UnsafeNameError */
  readLink(name: string): string | undefined {
    const stats = lstatSync(this.at(name), { throwIfNoEntry: false });
    if (!stats?.isSymbolicLink()) return undefined;
    if (this.#names === "foreign" || !isTrusted(stats.uid)) throw this.#unsafeLink();
    if (statfsSync(this.at(".")).type === PROC_SUPER_MAGIC) return undefined;
    return readlinkSync(this.at(name));
  }

  #unsafeLink(): UnsafeNameError {
    return this.#unsafe("is a symbolic link that another user could turn to any file");
  }

  #unsafe(what: string): UnsafeNameError {
    const whose = `${this.path} is a directory of user ${this.stats.uid}`;
    return new UnsafeNameError(`${what} (${whose}); put the file itself there`);
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}

function isTrusted(uid: number): boolean {
  return uid === 0 || uid === process.geteuid?.();
}

function whoseNames({ uid, gid, mode }: Stats): Names {
  if (!isTrusted(uid)) return "foreign";
  // Many users have a group of their own with what they make; root has nobody in its group.
  const byGroup = process.geteuid?.() === 0 && gid !== 0 ? mode & 0o020 : 0;
  if (((mode & 0o002) | byGroup) === 0) return "kept";
  return (mode & 0o1000) !== 0 ? "shared" : "foreign";
}

/** A name in an open directory: where a path leads, its symbolic links followed. */
export class Place implements Disposable {
  readonly directory: Directory;
  readonly name: string;

  constructor(directory: Directory, name: string) {
    this.directory = directory;
    this.name = name;
  }

  [Symbol.dispose](): void {
    this.directory[Symbol.dispose]();
  }
}

/**
 * Walks a path to the directory that its last name is in; nothing needs to have that name. Symbolic links are followed
 * where nobody but root and this process's user can have made them.
 * @throws UnsafeNameError, or the error of a system call
 */
export function locate(path: string): Place {
  const rest = namesIn(resolve(path));
  let directory = Directory.root();
  const goTo = (next: Directory): void => {
    directory[Symbol.dispose]();
    directory = next;
  };
  try {
    for (let links = 0; ; ) {
      const name = rest.shift() ?? ".";
      const target = directory.readLink(name);
      if (target === undefined && rest.length === 0) return new Place(directory, name);
      if (target === undefined) {
        goTo(directory.enter(name));
        continue;
      }
      links += 1;
      if (links > MAX_LINKS) throw new UnsafeNameError("is a symbolic link that leads back to itself");
      rest.unshift(...namesIn(target));
      if (target.startsWith("/")) goTo(Directory.root());
    }
  } catch (error) {
    directory[Symbol.dispose]();
    throw error;
  }
}

function namesIn(path: string): string[] {
  return path.split("/").filter((name) => name !== "");
}

/** @throws UnsafeNameError, or the error of a system call */
export function openDirectory(path: string): Directory {
  using place = locate(path);
  return place.directory.enter(place.name);
}

/** As `openDirectory`; what is missing on the way is made, for this process's user alone. */
export function makeDirectory(path: string): Directory {
  try {
    return openDirectory(path);
  } catch (error) {
    if (systemCode(error) !== "ENOENT" || dirname(path) === path) throw error;
  }
  {
    using above = makeDirectory(dirname(path));
    mkdirSync(above.at(basename(path)), { mode: OWN_MODE });
  }
  return openDirectory(path);
}
