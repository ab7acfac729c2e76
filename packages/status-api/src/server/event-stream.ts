/** Server-sent events (WHATWG HTML, section 9.2): first what is kept, then what happens. */

import { Readable } from "node:stream";
import type { Numbered, Recent } from "@hawser/gateway-kit";

/** A stream is ended when its reader leaves this much unread, bytes. The reader can ask again for what it has missed. */
const MAX_UNREAD = 1_048_576;
/** How long a reader that lost its connection waits before it asks again, ms. */
const RETRY_MS = 1_000;

export interface SentEvent {
  /** A reader that lost its connection goes on after this id. What has none is not sent again. */
  readonly id?: number;
  readonly event: string;
  /** Without line breaks. */
  readonly data: string;
}

/** Sends what is kept at once, and then each event as it happens. The function that it returns ends that. */
export type Feed = (send: (event: SentEvent) => void) => () => void;

/** A stream of what all feeds send. It goes on until it is destroyed. */
export function eventStream(feeds: readonly Feed[]): Readable {
  const stream = new Readable({ read() {} });
  // The feeds send all that is kept at once. Nobody can have read any of that yet, so it does not count.
  let most = Number.POSITIVE_INFINITY;
  const send = (event: SentEvent): void => {
    if (stream.readableLength > most) stream.destroy();
    else if (!stream.destroyed) stream.push(textOf(event));
  };
  stream.push(`retry: ${RETRY_MS}\n\n`);
  const ends = feeds.map((feed) => feed(send));
  most = stream.readableLength + MAX_UNREAD;
  stream.once("close", () => {
    for (const end of ends) end();
  });
  return stream;
}

/** Sends the entries `before`, and then each that is added to `recent`. */
export function recentFeed<T extends Numbered>(
  recent: Recent<T>,
  before: readonly T[],
  event: string,
  dataOf: (entry: T) => string,
): Feed {
  return (send) => {
    const tell = (entry: T): void => send({ id: entry.id, event, data: dataOf(entry) });
    for (const entry of before) tell(entry);
    return recent.subscribe(tell);
  };
}

function textOf({ id, event, data }: SentEvent): string {
  return `${id === undefined ? "" : `id: ${id}\n`}event: ${event}\ndata: ${data}\n\n`;
}
