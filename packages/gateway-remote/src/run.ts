import { dashboard } from "@hawser/dashboard";
import { createLogger, keptLog, serveUntilSignalled } from "@hawser/gateway-kit";
import { inFile } from "@hawser/gateway-kit/config";
import { createStatusServer, type StatusServer } from "@hawser/status-api";
import { loadRemoteConfig, watchRemoteConfig } from "./config.ts";
import { RemoteGateway } from "./gateway.ts";
import { dropOldKey } from "./peers.ts";
import { RemoteStatus } from "./status.ts";

/**
 * `hawser-remote run`: resolves when a signal has stopped the gateway. @throws CodedError: what the user has to mend
 */
export async function run(file: string): Promise<void> {
  const config = loadRemoteConfig(file);
  const log = keptLog();
  const logger = createLogger({ role: "remote", name: "hawser-remote", kept: log });
  const gateway = new RemoteGateway(config, logger, {
    onRotated: (key) => {
      dropOldKey(file, key).catch((error: unknown) => {
        const what =
          "cannot take the old key out of the configuration; until it is, a restart admits it again";
        logger.warn({ err: error, peer: key.peer }, what);
      });
    },
  });
  let status: StatusServer | undefined;
  const watch = watchRemoteConfig(file, () => gateway.config.peers, {
    onChange: (changed) => gateway.reload(changed),
    onError: (error) => logger.error({ err: error }, "the configuration was not reloaded"),
  });
  const service = {
    start: async () => {
      status = await createStatusServer(new RemoteStatus(gateway), {
        ...config.status,
        pages: dashboard,
        logger,
        log,
      });
      await gateway.start();
      logger.info({ status: status.url }, "running");
    },
    stop: async (cut: AbortSignal) => {
      await gateway.stop(config.limits.drainSeconds, cut);
      await status?.close();
    },
    reload: async () => watch.reload(),
    emergency: async () => {},
  };
  try {
    await serveUntilSignalled(service, logger);
  } catch (error) {
    throw inFile(file, error);
  } finally {
    watch.close();
    await status?.close();
  }
}
