import { setTimeout as sleep } from "node:timers/promises";
import { CodedError } from "@hawser/gateway-kit/config";
import type { GatewayApi } from "@hawser/status-api/client";
import type { ServerEvent } from "@hawser/status-api/model";

/** How long after the end of a stream the gateway is asked again, milliseconds. It may be restarting. */
const RETRY_MS = 1_000;

export interface FollowOptions {
  /** Parameters of the first request. */
  readonly query?: Readonly<Record<string, string>>;
  /** Its abort ends the following, as Ctrl-C does. */
  readonly signal?: AbortSignal;
}

/**
 * Shows the server-sent events of the API's `path` until Ctrl-C. After a restart of the gateway it goes on with the event
 * after the last one shown, so none is missing. @throws as `GatewayApi.events`, only at the first request
 */
export async function followGateway(
  api: GatewayApi,
  path: string,
  show: (event: ServerEvent) => void,
  options: FollowOptions = {},
): Promise<void> {
  const end = new AbortController();
  const signal = options.signal ? AbortSignal.any([end.signal, options.signal]) : end.signal;
  process.once("SIGINT", () => end.abort());
  let asked = options.query ?? {};
  for (let isFirst = true; !signal.aborted; isFirst = false) {
    try {
      for await (const event of api.events(`${path}?${new URLSearchParams(asked).toString()}`, { signal })) {
        show(event);
        if (event.id !== "") asked = { since: event.id };
      }
    } catch (error) {
      if (signal.aborted) return;
      if (isFirst || !(error instanceof CodedError)) throw error;
    }
    await sleep(RETRY_MS, undefined, { signal }).catch(() => {});
  }
}
