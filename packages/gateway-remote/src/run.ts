import { createLogger, createStatusServer, serveUntilSignalled } from "@hawser/shared-protocol/node";
import { loadRemoteConfig } from "./config.ts";
import { RemoteGateway } from "./gateway.ts";
import { watchRemoteConfig } from "./peers.ts";
import { RemoteStatus } from "./status.ts";

/** `hawser-remote run`: resolves when stopped by a signal. @throws CodedError: what the user has to mend */
export async function run(file: string): Promise<void> {
  const config = loadRemoteConfig(file);
  const logger = createLogger({ role: "remote", name: "hawser-remote" });
  const gateway = new RemoteGateway(config, logger);
  const status = await createStatusServer(new RemoteStatus(gateway), {
    listen: config.status.listen,
    logger,
  });
  try {
    await gateway.start();
  } catch (error) {
    await status.close();
    throw error;
  }
  const watch = watchRemoteConfig(file, {
    onChange: (changed) => gateway.reload(changed),
    onError: (error) => logger.error({ err: error }, "the configuration was not reloaded"),
  });
  logger.info({ status: status.url }, "running");
  try {
    await serveUntilSignalled(
      {
        stop: async (cut) => {
          await gateway.stop(config.limits.drainSeconds, cut);
          await status.close();
        },
        reload: async () => watch.reload(),
        emergency: async () => {},
      },
      logger,
    );
  } finally {
    watch.close();
  }
}
