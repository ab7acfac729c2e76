import { dashboard } from "@hawser/dashboard";
import { createLogger, keptLog, serveUntilSignalled } from "@hawser/gateway-kit";
import { inFile } from "@hawser/gateway-kit/config";
import { deriveConnectToken } from "@hawser/shared-protocol";
import { createStatusServer, type StatusServer, type StatusServerOptions } from "@hawser/status-api";
import { connectHandler } from "./capture/connect.ts";
import { type LocalConfig, loadLocalConfig } from "./config.ts";
import { LocalGateway } from "./gateway.ts";
import { LocalStatus } from "./status.ts";

/**
 * `hawser-local run`: resolves when a signal has stopped the gateway. @throws CodedError and others that the user has
 * to mend
 */
export async function run(file: string): Promise<void> {
  const config = loadLocalConfig(file);
  const log = keptLog();
  const logger = createLogger({ role: "local", name: "hawser-local", kept: log });
  const gateway = new LocalGateway(config, logger);
  let status: StatusServer | undefined;
  const service = {
    start: async () => {
      status = await serveStatus(config, gateway, { logger, log });
      await gateway.start();
      logger.info({ paths: config.paths.map(({ name }) => name), status: status.url }, "running");
    },
    stop: async (cut: AbortSignal) => {
      await gateway.stop(config.limits.drainSeconds, cut);
      await status?.close();
    },
    reload: async () => gateway.reload(loadWanted(file, gateway)),
    emergency: () => gateway.removeRules(),
  };
  try {
    await serveUntilSignalled(service, logger);
  } catch (error) {
    await gateway.removeRules();
    await status?.close();
    throw inFile(file, error);
  }
}

/** @throws ConfigError, which the service logs */
function loadWanted(file: string, { events }: LocalGateway): LocalConfig {
  try {
    return loadLocalConfig(file);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    events.add("reload-failed", `the configuration was not reloaded: ${reason}`);
    throw error;
  }
}

function serveStatus(
  config: LocalConfig,
  gateway: LocalGateway,
  logs: Pick<StatusServerOptions, "logger" | "log">,
): Promise<StatusServer> {
  return createStatusServer(new LocalStatus(gateway), {
    pages: dashboard,
    ...config.status,
    ...logs,
    onConnect: connectHandler(gateway.opener),
    connectToken: () => deriveConnectToken(gateway.keeper.pairing.psk),
  });
}
