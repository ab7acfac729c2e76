import { type FSWatcher, watch } from "node:fs";
import { basename, dirname } from "node:path";

/** How long a file must be quiet before it is read, ms: editors write in several steps. */
const QUIET_MS = 200;

export interface WatchHandlers<T> {
  /** The file has changed, and is right. */
  readonly onChange: (config: T) => void;
  /** The file has changed and is wrong, or cannot be watched; what was in force stays in force. */
  readonly onError: (error: unknown) => void;
}

export interface ConfigWatch {
  /** Reads the file now: what SIGHUP asks for. */
  reload(): void;
  close(): void;
}

/**
 * Follows a file through edits, also by rename. The directory is watched, since a watch on the file would stay with
 * the inode that the rename took away. Does not keep the process alive.
 */
export function watchConfig<T>(file: string, load: () => T, handlers: WatchHandlers<T>): ConfigWatch {
  let timer: NodeJS.Timeout | undefined;
  const reload = (): void => {
    clearTimeout(timer);
    let config: T;
    try {
      config = load();
    } catch (error) {
      handlers.onError(error);
      return;
    }
    handlers.onChange(config);
  };
  const touched = (): void => {
    clearTimeout(timer);
    timer = setTimeout(reload, QUIET_MS);
    timer.unref();
  };
  const watcher = watchDirectory(file, touched, handlers.onError);
  return {
    reload,
    close() {
      clearTimeout(timer);
      watcher?.close();
    },
  };
}

function watchDirectory(
  file: string,
  touched: () => void,
  onError: (error: unknown) => void,
): FSWatcher | undefined {
  try {
    const watcher = watch(dirname(file), { persistent: false }, (_event, name) => {
      if (name === null || name === basename(file)) touched();
    });
    watcher.on("error", onError);
    return watcher;
  } catch (error) {
    // Without inotify instances left there is still SIGHUP.
    onError(error);
    return undefined;
  }
}
