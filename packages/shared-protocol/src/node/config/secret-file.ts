import { closeSync, fstatSync, openSync, readFileSync, realpathSync, type Stats, statSync } from "node:fs";
import { dirname } from "node:path";
import { CodedError, ConfigError, ErrorCode } from "./errors.ts";

/** A file's text, and who can read it. */
export interface ReadFile {
  readonly text: string;
  readonly stats: Stats;
}

/** The text of a file that only its owner may read. @throws ConfigError CONFIG_UNREADABLE or SECRET_EXPOSED. */
export function readSecretFile(file: string): string {
  const { text, stats } = readTextFile(file);
  const exposed = whyExposed(file, stats);
  if (exposed) throw new ConfigError(ErrorCode.secretExposed, [{ file, key: "", what: exposed }]);
  return text;
}

/** Text and mode are of the same file, even if another takes its name meanwhile. @throws ConfigError CONFIG_UNREADABLE. */
export function readTextFile(file: string): ReadFile {
  let fd: number | undefined;
  try {
    fd = openSync(file, "r");
    return { stats: fstatSync(fd), text: readFileSync(fd, "utf8") };
  } catch (error) {
    const what = whyUnreadable(file, error);
    throw new ConfigError(ErrorCode.configUnreadable, [{ file, key: "", what }], { cause: error });
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** What to say when group or others can read a file that holds a secret, or put another in its place. */
export function whyExposed(file: string, { mode }: Stats): string | undefined {
  if ((mode & 0o077) !== 0)
    return `holds a secret, but group or others have access to it (mode ${octal(mode)}); run: chmod 600 ${file}`;
  const directory = directoryOf(file);
  if (!isWritable(directory, 0o022)) return undefined;
  return `holds a secret, but group or others can replace it (directory of mode ${octal(directory.mode)}); run: chmod go-w ${directory.name}`;
}

/** What to say when everybody can change a file that this program believes. */
export function whyChangeable(file: string, { mode }: Stats): string | undefined {
  if ((mode & 0o002) !== 0)
    return `can be changed by everybody (mode ${octal(mode)}); run: chmod o-w ${file}`;
  const directory = directoryOf(file);
  if (!isWritable(directory, 0o002)) return undefined;
  return `can be replaced by everybody (directory of mode ${octal(directory.mode)}); run: chmod o-w ${directory.name}`;
}

interface Directory {
  readonly name: string;
  readonly mode: number;
}

/** Where a file is in truth: a symbolic link is followed. */
function directoryOf(file: string): Directory {
  const name = dirname(realpathSync(file));
  return { name, mode: statSync(name).mode };
}

/** Who may write to a directory may rename what is in it, but for sticky ones such as /tmp. */
function isWritable({ mode }: Directory, bits: number): boolean {
  return (mode & bits) !== 0 && (mode & 0o1000) === 0;
}

function octal(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, "0");
}

function whyUnreadable(file: string, error: unknown): string {
  const code = systemCode(error);
  if (code === "ENOENT") return "does not exist; create it, or name another file";
  if (code === "EACCES" || code === "EPERM") {
    return `cannot be read: permission denied; ${isService() ? `run: chown ${userName()} ${file}` : "run this with sudo"}`;
  }
  if (code === "EISDIR") return "is a directory; name a file in it";
  return `cannot be read: ${code ?? String(error)}`;
}

/** `ENOENT` and the like, of an error of a system call. */
export function systemCode(error: unknown): string | undefined {
  if (error instanceof CodedError || !(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** A service cannot use sudo; its user must own the file (systemd.exec(5), SYSTEMD_EXEC_PID). */
function isService(): boolean {
  return process.env["SYSTEMD_EXEC_PID"] === String(process.pid);
}

function userName(): string {
  return process.env["USER"] ?? String(process.getuid?.() ?? "USER");
}
