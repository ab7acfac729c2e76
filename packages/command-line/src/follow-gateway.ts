import { setTimeout as sleep } from "node:timers/promises";
import { CodedError } from "@hawser/gateway-kit/config";
import type { GatewayApi } from "@hawser/status-api/client";
import type { ServerEvent } from "@hawser/status-api/model";

/** A gateway that is being restarted is asked again after so long, ms. */
const RETRY_MS = 1_000;

export interface FollowOptions {
  /** Of the first question. */
  readonly query?: Readonly<Record<string, string>>;
  /** Ends it as Ctrl-C does. */
  readonly signal?: AbortSignal;
}

/**
 * Shows what `path` tells as server-sent events until Ctrl-C, over restarts of the gateway, without a gap: it is asked for
 * what came after the last one. @throws as `GatewayApi.events`, the first time
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
