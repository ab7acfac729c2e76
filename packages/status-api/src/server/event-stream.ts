/** Server-sent events (WHATWG HTML, section 9.2): what was, then what comes. */

import { Readable } from "node:stream";
import type { Numbered, Recent } from "@hawser/gateway-kit";

/** A reader that leaves this much of what comes unread gets no more: it is to come again and ask for what it missed. Bytes. */
const MAX_UNREAD = 1_048_576;
/** Who asks again after a loss waits so long first, ms. */
const RETRY_MS = 1_000;

export interface SentEvent {
  /** Where a reader goes on after a loss; none: it is not told again. */
  readonly id?: number;
  readonly event: string;
  /** One line. */
  readonly data: string;
}

/** Sends what there is at once, then what comes; the result ends that. */
export type Feed = (send: (event: SentEvent) => void) => () => void;

/** Ends when it is destroyed. */
export function eventStream(feeds: readonly Feed[]): Readable {
  const stream = new Readable({ read() {} });
  // What there is at once is as much as is kept; nobody can have read any of it yet.
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

/** These, and what is added to `recent` from now on. */
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
