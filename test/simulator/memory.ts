import assert from "node:assert/strict";
import type { Endpoint } from "./endpoint.ts";
import type { Network } from "./network.ts";

/** A line's PING may be under way at any time. */
const PING_BYTES = 1;

/** Nothing of past streams is left on either side. */
export function assertEmpty(network: Network): void {
  network.run(3_000);
  for (const end of [network.local, network.remote]) {
    const { session } = end;
    assert.deepEqual(session.kept, { streams: 0, resets: 0, controls: 0, queued: 0, gone: 0 });
    assert.deepEqual(session.memory, { heldToRead: 0, heldToSend: 0 });
    for (const subflow of session.subflows) assert.ok(subflow.unackedBytes <= PING_BYTES);
  }
}

export function assertWithin(end: Endpoint, memoryCap: number): void {
  const { heldToRead, heldToSend } = end.session.memory;
  assert.ok(heldToRead <= memoryCap, `${heldToRead} bytes held to be read`);
  assert.ok(heldToSend <= 1.25 * memoryCap, `${heldToSend} bytes held to send`);
}
