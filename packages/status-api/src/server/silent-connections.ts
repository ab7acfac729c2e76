/** Connections of the status server that wait for a request: anybody may open them, and say nothing. */

import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { Admission } from "@hawser/gateway-kit";

/** A browser keeps six; more of one source displace its oldest, so that a new one is always heard. */
const SILENT = { total: 128, perSource: 64, perSite: 64 };

/**
 * Bounds the connections without a request under way, by source and in all. Who asks leaves the room, and is back in it
 * after the answer, for as long as the connection is kept alive.
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
