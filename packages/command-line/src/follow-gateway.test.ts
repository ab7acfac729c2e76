import assert from "node:assert/strict";
import { test } from "node:test";
import type { Logger } from "@hawser/gateway-kit";
import { createLogger, keptLog } from "@hawser/gateway-kit";
import { createStatusServer, EventLog, type StatusServer } from "@hawser/status-api";
import { GatewayApi } from "@hawser/status-api/client";
import { LISTEN, sampleReport } from "@hawser/status-api/testing";
import { followGateway } from "./follow-gateway.ts";

/** A run of a gateway: a log of its own. */
async function start(listen = LISTEN): Promise<{ readonly server: StatusServer; readonly logger: Logger }> {
  const log = keptLog();
  const destination = { write() {} };
  const logger = createLogger({ role: "local", name: "test", level: "info", destination, kept: log });
  const source = { events: new EventLog(), status: () => sampleReport(), flows: () => [] };
  return { server: await createStatusServer(source, { listen, logger, log }), logger };
}

test("each line is shown once, over a restart of the gateway", async () => {
  let run = await start();
  const { address } = run.server;
  for (const n of [1, 2, 3]) run.logger.info({ n }, "first run");
  const restart = async (): Promise<void> => {
    await run.server.close();
    run = await start(address);
    run.logger.info({ n: 5 }, "second run");
  };
  const end = new AbortController();
  const seen: number[] = [];
  let restarted: Promise<void> | undefined;
  const show = ({ data }: { data: string }): void => {
    const { n } = JSON.parse(data) as { n: number };
    seen.push(n);
    if (n === 3) run.logger.info({ n: 4 }, "first run");
    if (n === 4) restarted = restart();
    if (n === 5) end.abort();
  };
  const api = new GatewayApi({ listen: address, token: undefined });
  await followGateway(api, "/api/logs", show, { query: { lines: "2" }, signal: end.signal });
  await restarted;
  await run.server.close();
  assert.deepEqual(seen, [2, 3, 4, 5]);
});

test("a gateway that is not there at first is an error", async () => {
  const { server } = await start();
  await server.close();
  const api = new GatewayApi({ listen: server.address, token: undefined });
  await assert.rejects(
    followGateway(api, "/api/logs", () => {}),
    { code: "STATUS_UNREACHABLE" },
  );
});
