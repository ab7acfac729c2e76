import assert from "node:assert/strict";
import { test } from "node:test";
import { FrameDecoder, MAX_PAYLOAD } from "@hawser/shared-protocol";
import { MemoryBudget } from "./memory-budget.ts";
import { settleFrame } from "./reinjection.ts";
import { SessionState } from "./state.ts";
import { Subflow } from "./subflow.ts";
import { transmit } from "./transmit.ts";
import { Turn } from "./turn.ts";

/** Late enough, and a stream of so high a number, that an ACK and the header of DATA are long. */
const NOW = 2e6;
const STREAM = 20_000;
const SENT = 17_000;
const RECEIVED = 2 ** 30;
/** The least that Linux allows (net.ipv4.tcp_min_snd_mss). */
const SEGMENT = 48;
const BUFFER = Buffer.alloc(65_536);
const RTT = 10;
/** Milliseconds, each with a turn. */
const STEPS = 100;

test("a fast line sends a buffer of 64 KiB as one frame", () => {
  assert.equal(MAX_PAYLOAD, BUFFER.length);
  const state = new SessionState({ side: "remote", memory: new MemoryBudget(1e9) }, NOW);
  const line = new Subflow({ id: 0, path: "p", role: "active", side: "remote" }, NOW);
  state.addSubflow(line);
  const stream = state.addStream(STREAM, undefined, NOW);
  stream.sendLimit = Number.POSITIVE_INFINITY;
  const sentTo: number[] = [];
  const lengths: number[] = [];
  for (let step = 0; step < STEPS; step++) {
    const now = NOW + step;
    const received = sentTo[step - RTT];
    const ack = { type: "ack", received: received ?? 0, delay: 0, time: 1_000 * now } as const;
    if (received) line.handleAck(ack, now, (frame) => settleFrame(state, frame));
    while (stream.sendBuffer.held < line.model.cap + BUFFER.length)
      stream.sendBuffer.append(BUFFER, () => {});
    state.queueToSend(stream);
    lengths.push(...sent(state, line, now));
    sentTo.push(line.ledger.sent);
  }
  assert.deepEqual(new Set(lengths.slice(-20)), new Set([BUFFER.length]));
});

test("where segments are smaller than an ACK and a header, DATA still has a byte", () => {
  const state = new SessionState({ side: "remote", memory: new MemoryBudget(1e6) }, NOW);
  const policy = { tier: 1, metered: false, rationed: false, rate: 8_000 };
  const line = new Subflow({ id: 0, path: "p", role: "active", side: "remote", policy }, NOW);
  state.addSubflow(line);
  line.handleLine({ outstanding: 0, unsent: 0, segment: SEGMENT, hasHole: false, minRtt: 20, queue: 0 }, NOW);
  // Its greeting would use up the rate.
  line.liveness.takePing(NOW);
  const stream = state.addStream(STREAM, undefined, NOW);
  stream.sendBuffer.append(Buffer.alloc(SENT + 100));
  stream.sendBuffer.take(SENT, stream.sendLimit);
  state.queueToSend(stream);
  line.receipt.handleReceived(RECEIVED, NOW);
  line.requestAck(false, NOW);
  const lengths = sent(state, line, NOW);
  assert.ok(lengths.length > 0 && lengths.every((length) => length > 0));
});

/** Makes one turn of the line. Returns the lengths of its DATA frames' payloads. */
function sent(state: SessionState, line: Subflow, now: number): number[] {
  const lengths: number[] = [];
  state.now = now;
  const turn = new Turn(state, now);
  const decoder = new FrameDecoder();
  for (let parts = transmit(state, line, turn); parts; parts = transmit(state, line, turn)) {
    const error = decoder.decode(Buffer.concat(parts), {
      handleFrame: () => undefined,
      handleData: (_stream, _offset, { length }) => {
        lengths.push(length);
        return undefined;
      },
    });
    assert.equal(error, undefined);
  }
  return lengths;
}
