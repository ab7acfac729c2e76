import type { Logger } from "./log.ts";
import { requirePlatform } from "./platform.ts";

/** A gateway, as its life from start to stop needs it. */
export interface Service {
  /** @throws CodedError: what the user has to mend */
  start(): Promise<void>;
  /** Stops, and gives open flows time to end. When `cut` is aborted it stops at once. */
  stop(cut: AbortSignal): Promise<void>;
  /**
   * Reads the configuration file again and follows it. @throws when the file is wrong; the old configuration stays in
   * force
   */
  reload(): Promise<void>;
  /** Undoes what must not outlive the process, after an error that no code handles. */
  emergency(): Promise<void>;
}

/**
 * Starts the service and runs it until SIGTERM or SIGINT. The first signal gives open flows time to end, a second one cuts
 * them. SIGHUP reloads once the service has started. The promise resolves when the service has stopped. It rejects when
 * the service cannot start, or after an error that no code handles.
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
