import { closeSync, fstatSync, readFileSync, type Stats, statSync } from "node:fs";
import { dirname } from "node:path";
import { type Directory, locate, UnsafeNameError } from "../files/directory.ts";
import { ConfigError, ErrorCode, systemCode } from "./errors.ts";

/** A file's text, and who can read it. */
export interface ReadFile {
  readonly text: string;
  readonly stats: Stats;
  /** Where the file is in truth: symbolic links are followed. */
  readonly directory: Pick<Directory, "path" | "stats">;
}

/**
 * The text of a file that only its owner may read, or its service's group. `whenMissing` is the mend of a missing file.
 * @throws ConfigError CONFIG_UNREADABLE or SECRET_EXPOSED.
 */
export function readSecretFile(file: string, whenMissing?: string): string {
  const read = readTextFile(file, whenMissing);
  const exposed = whyExposed(file, read);
  if (exposed) throw new ConfigError(ErrorCode.secretExposed, [{ file, key: "", what: exposed }]);
  return read.text;
}

/**
 * Text and mode are of the same file, even if another takes its name meanwhile. `whenMissing` is the mend of a missing
 * file. @throws ConfigError CONFIG_UNREADABLE.
 */
export function readTextFile(file: string, whenMissing?: string): ReadFile {
  try {
    using place = locate(file);
    return readFileIn(place.directory, place.name);
  } catch (error) {
    throw unreadable(file, error, whenMissing);
  }
}

/** What to tell the user of a failed `locate` or `readFileIn`. */
export function unreadable(file: string, error: unknown, whenMissing?: string): ConfigError {
  const what = error instanceof UnsafeNameError ? error.message : whyUnreadable(file, error, whenMissing);
  return new ConfigError(ErrorCode.configUnreadable, [{ file, key: "", what }], { cause: error });
}

/** @throws UnsafeNameError, or the error of a system call */
export function readFileIn(directory: Directory, name: string): ReadFile {
  const fd = directory.openFile(name);
  try {
    return { stats: fstatSync(fd), text: readFileSync(fd, "utf8"), directory };
  } finally {
    closeSync(fd);
  }
}

/** What to say when group or others can read a file that holds a secret, or put another in its place. */
export function whyExposed(file: string, { stats, directory }: ReadFile): string | undefined {
  const isOfService = isForService(stats, directory.stats);
  if ((stats.mode & (isOfService ? 0o037 : 0o077)) !== 0) {
    const mend = isOfService ? 640 : 600;
    return `holds a secret, but group or others have access to it (mode ${octal(stats)}); run: chmod ${mend} ${file}`;
  }
  if (!isWritable(directory.stats, 0o022)) return undefined;
  return `holds a secret, but group or others can replace it (directory of mode ${octal(directory.stats)}); run: chmod go-w ${directory.path}`;
}

/**
 * What to say when a file belongs to another user than its folder: whom it belongs to could change it, and the service,
 * whose the folder is, perhaps not read it.
 */
export function whyForeign(file: string, { stats, directory }: ReadFile): string | undefined {
  const { uid, gid } = directory.stats;
  const isOwn = stats.uid !== 0 && stats.uid === process.geteuid?.();
  if (stats.uid === uid || isOwn || isForService(stats, directory.stats)) return undefined;
  return `belongs to user ${stats.uid}, and its folder to user ${uid}; run: chown ${uid}:${gid} ${file}`;
}

/** Root's file for a service, whose group may read it. That the group is a service's, its directory tells. */
function isForService(file: Stats, directory: Stats): boolean {
  return file.uid === 0 && file.gid === directory.gid && isForGroup(directory);
}

/** The command that writes `source` to a configuration file which the file's service can read and others cannot. */
export function installCommand(source: string, file: string): string {
  const folder = statSync(dirname(file), { throwIfNoEntry: false });
  const access = folder && isForGroup(folder) ? `-g ${folder.gid} -m 640` : "-m 600";
  return `install -D ${access} ${source} ${file}`;
}

/** A directory for its owner and one group alone, such as /etc/hawser. */
export function isForGroup({ gid, mode }: Stats): boolean {
  return gid !== 0 && (mode & 0o027) === 0;
}

/** What to say when everybody can change a file that this program believes. */
export function whyChangeable(file: string, { stats, directory }: ReadFile): string | undefined {
  if ((stats.mode & 0o002) !== 0)
    return `can be changed by everybody (mode ${octal(stats)}); run: chmod o-w ${file}`;
  if (!isWritable(directory.stats, 0o002)) return undefined;
  return `can be replaced by everybody (directory of mode ${octal(directory.stats)}); run: chmod o-w ${directory.path}`;
}

/** Who may write to a directory may rename what is in it, but for sticky ones such as /tmp. */
function isWritable({ mode }: Stats, bits: number): boolean {
  return (mode & bits) !== 0 && (mode & 0o1000) === 0;
}

function octal({ mode }: Stats): string {
  return (mode & 0o7777).toString(8).padStart(4, "0");
}

function whyUnreadable(
  file: string,
  error: unknown,
  whenMissing = "create it, or name another file",
): string {
  const code = systemCode(error);
  if (code === "ENOENT") return `does not exist; ${whenMissing}`;
  if (code === "EACCES" || code === "EPERM") {
    return `cannot be read: permission denied; ${isService() ? `run: chown ${userName()} ${file}` : "run this with sudo"}`;
  }
  if (code === "EISDIR") return "is a directory; name a file in it";
  return `cannot be read: ${code ?? String(error)}`;
}

/** A service cannot use sudo; its user must own the file (systemd.exec(5), SYSTEMD_EXEC_PID). */
function isService(): boolean {
  return process.env["SYSTEMD_EXEC_PID"] === String(process.pid);
}

function userName(): string {
  return process.env["USER"] ?? String(process.getuid?.() ?? "USER");
}
