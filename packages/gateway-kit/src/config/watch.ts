import { statSync } from "node:fs";
import { systemCode } from "./errors.ts";

/** How often a file is looked at, ms. It is read when two looks agree: editors write in several steps. */
const INTERVAL_MS = 200;

export interface WatchHandlers<T> {
  /** The file has changed, and is right. */
  readonly onChange: (config: T) => void;
  /** The file has changed and is wrong; what was in force stays in force. */
  readonly onError: (error: unknown) => void;
}

export interface ConfigWatch {
  /** Reads the file now: what SIGHUP asks for. */
  reload(): void;
  close(): void;
}

/**
 * Follows a file through edits, also by rename, through symbolic links, and when its directory is replaced: by its name,
 * which inotify(7) does not do. Does not keep the process alive.
 */
export function watchConfig<T>(file: string, load: () => T, handlers: WatchHandlers<T>): ConfigWatch {
  let loaded = look(file);
  let last = loaded;
  const reload = (): void => {
    loaded = last = look(file);
    let config: T;
    try {
      config = load();
    } catch (error) {
      handlers.onError(error);
      return;
    }
    handlers.onChange(config);
  };
  const timer = setInterval(() => {
    const now = look(file);
    const isQuiet = now === last;
    last = now;
    if (isQuiet && now !== loaded) reload();
  }, INTERVAL_MS);
  timer.unref();
  return { reload, close: () => clearInterval(timer) };
}

/** What changes whenever the file does; of a file that is not there, why. */
function look(file: string): string {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(file, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join();
  } catch (error) {
    return systemCode(error) ?? String(error);
  }
}
