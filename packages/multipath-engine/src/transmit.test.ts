import assert from "node:assert/strict";
import { test } from "node:test";
import { FrameDecoder } from "@hawser/shared-protocol";
import { MemoryBudget } from "./memory-budget.ts";
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
  const lengths: number[] = [];
  const error = new FrameDecoder().decode(Buffer.concat(transmit(state, line, new Turn(state, NOW)) ?? []), {
    handleFrame: () => undefined,
    handleData: (_stream, _offset, { length }) => {
      lengths.push(length);
      return undefined;
    },
  });
  assert.equal(error, undefined);
  assert.ok(lengths.length > 0 && lengths.every((length) => length > 0));
});
