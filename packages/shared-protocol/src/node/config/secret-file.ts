import { closeSync, fstatSync, openSync, readFileSync, type Stats } from "node:fs";
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

/** What to say when group or others can read a file that holds a secret. */
export function whyExposed(file: string, { mode }: Stats): string | undefined {
  if ((mode & 0o077) === 0) return undefined;
  const octal = (mode & 0o7777).toString(8).padStart(4, "0");
  return `holds a secret, but group or others have access to it (mode ${octal}); run: chmod 600 ${file}`;
}

function whyUnreadable(file: string, error: unknown): string {
  const code = systemCode(error);
  if (code === "ENOENT") return "does not exist; create it, or name another file";
  if (code === "EACCES" || code === "EPERM") {
    return `cannot be read: permission denied; run this as the owner of the file, or: chown ${userName()} ${file}`;
  }
  if (code === "EISDIR") return "is a directory; name a file in it";
  return `cannot be read: ${code ?? String(error)}`;
}

/** `ENOENT` and the like, of an error of a system call. */
export function systemCode(error: unknown): string | undefined {
  if (error instanceof CodedError || !(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

function userName(): string {
  return process.env["USER"] ?? String(process.getuid?.() ?? "USER");
}
