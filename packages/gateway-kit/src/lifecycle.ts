import type { Logger } from "./log.ts";
import { requirePlatform } from "./platform.ts";

/** What a running gateway can be told. */
export interface Service {
  /** @throws what the user has to mend */
  start(): Promise<void>;
  /** Stops in order, giving open flows time; `cut` fires when that is no longer wanted. */
  stop(cut: AbortSignal): Promise<void>;
  /** Follows the configuration file as it is now. Throws when it is wrong; the old one stays in force. */
  reload(): Promise<void>;
  /** What must be undone even after a failure that nobody foresaw. */
  emergency(): Promise<void>;
}

/**
 * Starts the service and runs it until SIGTERM or SIGINT: the first one drains, a second one cuts. SIGHUP reloads, once
 * the service has started. Resolves when the service has stopped; rejects when it cannot start, or after a failure that
 * nobody foresaw.
 */
export async function serveUntilSignalled(service: Service, logger: Logger): Promise<void> {
  requirePlatform(logger);
  const cut = new AbortController();
  const { promise: over, resolve, reject } = Promise.withResolvers<void>();
  let stopping = false;
  const onStop = (signal: NodeJS.Signals): void => {
    logger.info({ signal }, stopping ? "cutting what is still open" : "stopping");
    if (stopping) return cut.abort();
    stopping = true;
    started
      .catch(() => undefined)
      .then(() => service.stop(cut.signal))
      .then(resolve, reject);
  };
  const onReload = (): void => {
    started
      .then(() => (stopping ? undefined : service.reload()))
      .catch((error: unknown) => logger.error({ err: error }, "the configuration was not reloaded"));
  };
  const onFailure = (error: unknown): void => {
    logger.fatal({ err: error }, "a failure that should not be; please report it");
    service.emergency().then(() => reject(error as Error), reject);
  };
  process.on("SIGTERM", onStop).on("SIGINT", onStop).on("SIGHUP", onReload);
  process.on("uncaughtException", onFailure).on("unhandledRejection", onFailure);
  const started = service.start();
  try {
    await started;
    await over;
    logger.info("stopped");
  } finally {
    process.off("SIGTERM", onStop).off("SIGINT", onStop).off("SIGHUP", onReload);
    process.off("uncaughtException", onFailure).off("unhandledRejection", onFailure);
  }
}
