/** Reads server-sent events (WHATWG HTML, section 9.2.6) from a body. Browsers have EventSource for that, but it cannot send a token. */

/** One server-sent event. */
export interface ServerEvent {
  /** The id of this event; of the last event that had one, when this one has none. */
  readonly id: string;
  readonly type: string;
  readonly data: string;
}

/** The events of a body, until it ends. */
export async function* serverEvents(body: AsyncIterable<Uint8Array>): AsyncGenerator<ServerEvent> {
  const decoder = new TextDecoder();
  let text = "";
  let id = "";
  for await (const bytes of body) {
    text += decoder.decode(bytes, { stream: true });
    const blocks = text.split("\n\n");
    text = blocks.pop() ?? "";
    for (const block of blocks) {
      const event = parseBlock(block, id);
      id = event.id;
      if (event.data !== "") yield event;
    }
  }
}

function parseBlock(block: string, lastId: string): ServerEvent {
  const event = { id: lastId, type: "message", data: [] as string[] };
  for (const line of block.split("\n")) {
    const [, field, value = ""] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (field === "data") event.data.push(value);
    else if (field === "event") event.type = value;
    else if (field === "id") event.id = value;
  }
  return { ...event, data: event.data.join("\n") };
}
