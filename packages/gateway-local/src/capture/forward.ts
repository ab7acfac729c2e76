import type { Server, Socket } from "node:net";
import { attachReader, type Logger, listen } from "@hawser/shared-protocol/node";
import type { ForwardConfig } from "../config.ts";
import type { FlowOpener } from "./flow-opener.ts";

/** A plain port forward: whatever connects is carried to one destination. @throws CodedError LISTEN_FAILED */
export function listenForward(
  forward: ForwardConfig,
  index: number,
  opener: FlowOpener,
  logger: Logger,
): Promise<Server> {
  const key = `forward[${index}].listen`;
  return listen({ key, ...forward.listen }, logger, (raw: Socket) => {
    const socket = attachReader(raw, { onBytes: (bytes, release) => flow?.handleBytes(bytes, release) ?? true });
    const flow = opener.open("forward", forward.to, socket);
    if (flow) socket.resume();
    else socket.resetAndDestroy();
  });
}
