/** Answers of the status server whose client does not read them. */

import type { IncomingMessage, Server, ServerResponse } from "node:http";

/** A client must read an answer within this time, ms. It is enough for a list of flows of megabytes over a slow line. */
export const UNREAD_MS = 60_000;

/** Closes connections whose client does not read its answer. Streams of events have their own limit (event-stream.ts). */
export function endUnreadAnswers(server: Server): void {
  server.prependListener("request", ({ socket }: IncomingMessage, response: ServerResponse) => {
    // The whole answer is written; what the client has not taken waits in this process.
    response.once("prefinish", () => {
      if (response.closed) return;
      const deadline = setTimeout(() => socket.destroy(), UNREAD_MS);
      response.once("close", () => clearTimeout(deadline));
    });
  });
}
