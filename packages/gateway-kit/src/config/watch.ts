import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { everySecond } from "../every-second.ts";
import { systemCode } from "./errors.ts";

/**
 * Files that have changed are looked at again after this long, milliseconds, and are read when two looks agree: editors
 * write in several steps.
 */
const SETTLE_MS = 200;

/** Who follows configuration files is told of each change. */
export interface WatchHandlers<T> {
  /** A file has changed, and what they say is right. */
  readonly onChange: (config: T) => void;
  /** A file has changed and is wrong; what was in force stays in force. */
  readonly onError: (error: unknown) => void;
}

/** Follows configuration files until it is closed. */
export interface ConfigWatch {
  /** Reads the files now: what SIGHUP asks for. */
  reload(): void;
  close(): void;
}

/**
 * Follows files through edits, also by rename, through symbolic links, and when their directory is replaced. It looks at
 * what their names lead to, once a second: inotify(7) follows files and directories, not names. Of a folder, what is in it
 * is followed, too. Neither needs to be there yet. Does not keep the process alive.
 */
export function watchConfig<T>(
  paths: readonly string[],
  load: () => T,
  handlers: WatchHandlers<T>,
): ConfigWatch {
  const lookAtAll = (): string => paths.map((path) => look(path)).join("\n");
  let loaded = lookAtAll();
  let last = loaded;
  let settling: NodeJS.Timeout | undefined;
  const reload = (): void => {
    clearTimeout(settling);
    settling = undefined;
    loaded = last = lookAtAll();
    let config: T;
    try {
      config = load();
    } catch (error) {
      handlers.onError(error);
      return;
    }
    handlers.onChange(config);
  };
  const check = (): void => {
    const now = lookAtAll();
    const isQuiet = now === last;
    last = now;
    settling = undefined;
    if (now === loaded) return;
    if (isQuiet) reload();
    else settling = setTimeout(check, SETTLE_MS).unref();
  };
  const end = everySecond(() => {
    if (!settling) check();
  });
  const close = (): void => {
    end();
    clearTimeout(settling);
  };
  return { reload, close };
}

/** What changes whenever the file does, or the folder, or a file in it; of what cannot be looked at, why. */
function look(path: string, isInFolder = false): string {
  try {
    const stats = statSync(path, { bigint: true });
    const { dev, ino, size, mtimeNs, ctimeNs } = stats;
    // A folder in a folder is no configuration, and may be a link to one that holds both.
    const names = stats.isDirectory() && !isInFolder ? readdirSync(path) : [];
    return [dev, ino, size, mtimeNs, ctimeNs, ...names.map((name) => look(join(path, name), true))].join();
  } catch (error) {
    return systemCode(error) ?? String(error);
  }
}
