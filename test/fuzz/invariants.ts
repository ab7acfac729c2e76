import assert from "node:assert/strict";
import type { Victim } from "@hawser/multipath-engine/testing";
import {
  MAX_CHUNK,
  MAX_GONE,
  MAX_PEER_STREAMS,
  MAX_RUNS,
  MAX_UNACKED_FRAMES,
  MIN_SEND_BUFFER,
} from "@hawser/multipath-engine/testing";

/** PING, PATH, and a FIN right behind its data are sent whatever is unacknowledged. */
const UNCOUNTED = 64;
/** One write of the game, and what a stream may hold when memory has run short. */
const MOST_OVER = 262_144 + MIN_SEND_BUFFER / 8;

/** What holds after every operation, however hostile the peer is. */
export function assertBounds({ session, memoryCap }: Victim): void {
  const { heldToRead, heldToSend } = session.memory;
  const { streams, resets, controls, gone } = session.kept;
  assert.ok(heldToRead >= 0 && heldToRead <= memoryCap, `${heldToRead} bytes held to be read`);
  assert.ok(
    heldToSend >= 0 && heldToSend <= memoryCap + streams * MOST_OVER,
    `${heldToSend} bytes held to send`,
  );
  assert.ok(streams + resets <= MAX_PEER_STREAMS, `${streams} streams, ${resets} resets`);
  assert.ok(controls <= streams + resets, `${controls} stream frames queued`);
  assert.ok(gone <= MAX_GONE);
  if (session.isClosed) assert.equal(streams + resets + controls, 0);
  let held = 0;
  for (const { reorder, window } of session.streams) {
    assert.ok(reorder.frontier + reorder.early <= window.limit);
    assert.ok(reorder.earlyRuns <= MAX_RUNS);
    held += reorder.held;
  }
  assert.ok(held <= memoryCap, `${held} bytes wait to be read`);
  for (const { model, ledger, unackedBytes } of session.subflows) {
    assert.ok(ledger.length <= MAX_UNACKED_FRAMES + UNCOUNTED, `${ledger.length} frames unacknowledged`);
    assert.ok(unackedBytes >= 0);
    const { rate, cap, chunk, srtt, minRtt, rttvar, ackDelay } = model;
    const numbers = { rate, cap, chunk, srtt, minRtt, rttvar, ackDelay };
    for (const [name, value] of Object.entries(numbers))
      assert.ok(Number.isFinite(value) && value >= 0, `${name} is ${value}`);
    assert.ok(chunk >= 1 && chunk <= MAX_CHUNK, `chunks of ${chunk} bytes`);
  }
}

/** Nothing is left of a session that was closed. */
export function assertNothingLeft({ session }: Victim): void {
  assert.deepEqual(session.memory, { heldToRead: 0, heldToSend: 0 });
  assert.deepEqual(session.kept, { streams: 0, resets: 0, controls: 0, queued: 0, gone: 0 });
  assert.equal(session.pollEvent(), undefined);
}
