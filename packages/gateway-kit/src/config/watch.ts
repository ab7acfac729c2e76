import { readdirSync, statSync, watch } from "node:fs";
import { dirname, join } from "node:path";
import { everySecond } from "../every-second.ts";
import { systemCode } from "./errors.ts";

/**
 * The time between two looks at files that change, milliseconds. The files are read when two looks agree: editors write in
 * several steps.
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
 * Follows files through edits, also by rename, through symbolic links, and when their directory is replaced. Of a folder,
 * what is in it is followed, too. Neither needs to be there yet. Does not keep the process alive.
 *
 * It looks at what the names lead to: soon after inotify(7) has told of a change, and once a second. inotify alone would
 * not do, as it follows files and directories, not names. A second alone would be long for a home that was removed.
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
  const lookSoon = (): void => {
    settling ??= setTimeout(() => check(), SETTLE_MS).unref();
  };
  let endHearing = hear(paths, lookSoon);
  const reload = (): void => {
    clearTimeout(settling);
    settling = undefined;
    // Anew: the names may lead to other files and folders by now.
    endHearing();
    endHearing = hear(paths, lookSoon);
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
    else lookSoon();
  };
  const end = everySecond(() => {
    if (!settling) check();
  });
  const close = (): void => {
    end();
    endHearing();
    clearTimeout(settling);
  };
  return { reload, close };
}

/** Calls back when these files and folders change, or the folders that they are in, where the kernel tells of it. */
function hear(paths: readonly string[], onChange: () => void): () => void {
  const watched = new Set(paths.flatMap((path) => [path, dirname(path)]));
  const watchers = [...watched].flatMap((path) => {
    try {
      return [watch(path, { persistent: false }, onChange).on("error", () => {})];
    } catch {
      // It is not there, or the user has too many watches (fs.inotify.max_user_watches).
      return [];
    }
  });
  return () => {
    for (const each of watchers) each.close();
  };
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
