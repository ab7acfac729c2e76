import assert from "node:assert/strict";
import { test } from "node:test";
import { serverEvents } from "./server-events.ts";

test("server-sent events are read however they are cut", async () => {
  const text =
    'retry: 1000\n\nid: 7\nevent: log\ndata: {"a":"é"}\n\nevent: status\ndata: x\ndata: y\n\n: ping\n\ndata';
  const bytes = new TextEncoder().encode(text);
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (const byte of bytes) yield Uint8Array.of(byte);
  }
  const seen = [];
  for await (const event of serverEvents(pieces())) seen.push(event);
  assert.deepEqual(seen, [
    { id: "7", type: "log", data: '{"a":"é"}' },
    { id: "7", type: "status", data: "x\ny" },
  ]);
});

/** Characters that end a line in JavaScript, but neither in server-sent events nor in JSON. */
const SEPARATORS = "\u2028\u2029";

test("an event whose text has other line separators is not lost", async () => {
  const data = JSON.stringify({ message: `a${SEPARATORS}b` });
  async function* body(): AsyncGenerator<Uint8Array> {
    yield new TextEncoder().encode(`id: 1\nevent: log\ndata: ${data}\n\n`);
  }
  const seen = [];
  for await (const event of serverEvents(body())) seen.push(event);
  assert.deepEqual(seen, [{ id: "1", type: "log", data }]);
});
