/** Answers of the status server that nobody takes. */

import type { IncomingMessage, Server, ServerResponse } from "node:http";

/** A whole answer is taken within this time, ms: a flow list of megabytes over a slow line is, too. */
export const UNREAD_MS = 60_000;

/** Ends connections whose client does not read the answer that is ready for it. Streams of events have a bound of their own. */
export function endUnreadAnswers(server: Server): void {
  server.prependListener("request", ({ socket }: IncomingMessage, response: ServerResponse) => {
    // All of it was written, and waits in this process.
    response.once("prefinish", () => {
      if (response.closed) return;
      const deadline = setTimeout(() => socket.destroy(), UNREAD_MS);
      response.once("close", () => clearTimeout(deadline));
    });
  });
}
