import type { Logger } from "@hawser/gateway-kit";
import { type Listener, listen } from "@hawser/gateway-kit";
import type { ForwardConfig } from "../config.ts";
import type { FlowOpener } from "./flow-opener.ts";

/** A port forward: each connection is carried to the same destination. @throws CodedError LISTEN_FAILED */
export function listenForward(
  forward: ForwardConfig,
  index: number,
  opener: FlowOpener,
  logger: Logger,
): Promise<Listener> {
  const key = `forward[${index}].listen`;
  return listen({ key, ...forward.listen }, logger, (accepted) =>
    opener.openAccepted("forward", forward.to, accepted),
  );
}
