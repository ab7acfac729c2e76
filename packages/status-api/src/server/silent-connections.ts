/** Connections to the status server that have no request under way. Anybody can open them without the token. */

import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { Admission } from "@hawser/gateway-kit";

/** A browser keeps six. Above the limit a source's oldest is closed, so that a new one is always served. */
const SILENT = { total: 128, perSource: 64, perSite: 64 };

/**
 * Limits them, by source and in all. A connection does not count from its request to the end of the answer; after that
 * it counts again while it is kept alive.
 */
export function limitSilentConnections(server: Server): void {
  const silent = new Admission<Socket>(SILENT, (socket) => socket.destroy());
  const enter = (socket: Socket): void => {
    if (!socket.destroyed) silent.enter(socket, socket.remoteAddress);
  };
  server.prependListener("connection", (socket: Socket) => {
    enter(socket);
    socket.once("close", () => silent.leave(socket));
  });
  server.prependListener("request", ({ socket }: IncomingMessage, response: ServerResponse) => {
    silent.leave(socket);
    response.once("close", () => enter(socket));
  });
  server.prependListener("connect", ({ socket }: IncomingMessage) => silent.leave(socket));
}
