/** `GET /api/events` as server-sent events (WHATWG HTML, section 9.2). */

import { Readable } from "node:stream";
import type { EventLog, GatewayEvent } from "./event-log.ts";
import type { StatusHistory } from "./history.ts";
import type { StatusReport } from "./types.ts";

/** A reader that leaves this much unread gets no more: it is to come again and ask for what it missed. Bytes. */
const MAX_UNREAD = 1_048_576;
/** Who asks again after a loss waits so long first, ms. */
const RETRY_MS = 1_000;

export interface EventStreamOptions {
  readonly log: EventLog;
  /** The id of the last event that the reader has; 0 for none. */
  readonly since: number;
  /** Sends its reports, too, without an id: the present one, then each. */
  readonly history?: StatusHistory | undefined;
  /** The report as JSON, as the API has it. */
  readonly serialise: (report: StatusReport) => string;
}

/** What came after `since`, then what comes. Ends when it is destroyed. */
export function eventStream({ log, since, history, serialise }: EventStreamOptions): Readable {
  const stream = new Readable({ read() {} });
  const send = (text: string): void => {
    if (stream.readableLength > MAX_UNREAD) stream.destroy();
    else if (!stream.destroyed) stream.push(text);
  };
  send(`retry: ${RETRY_MS}\n\n`);
  for (const event of log.since(since)) send(eventText(event));
  const ends = [log.subscribe((event) => send(eventText(event)))];
  if (history) {
    const tell = (report: StatusReport): void => send(`event: status\ndata: ${serialise(report)}\n\n`);
    tell(history.current());
    ends.push(history.subscribe(tell));
  }
  stream.once("close", () => {
    for (const end of ends) end();
  });
  return stream;
}

function eventText(event: GatewayEvent): string {
  return `id: ${event.id}\nevent: log\ndata: ${JSON.stringify(event)}\n\n`;
}
