import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MemoryBudget } from "./memory-budget.ts";
import { copyLate, handleLiveness, surrender } from "./reinjection.ts";
import { SessionState } from "./state.ts";
import type { Stream } from "./stream.ts";
import { Subflow } from "./subflow.ts";
import { transmit } from "./transmit.ts";
import { Turn } from "./turn.ts";

const NOW = 1_000;
const BYTES = 2_000;
const HEADER = 8;
const RTT = 10;

function newState(): SessionState {
  return new SessionState({ side: "remote", memory: new MemoryBudget(1e6) }, NOW);
}

/** A line of that round trip, and of at most so many bytes per second. */
function addLine(state: SessionState, id: number, rate?: number): Subflow {
  const policy = rate === undefined ? undefined : { tier: 1, metered: false, rationed: false, rate };
  const line = new Subflow({ id, path: `p${id}`, role: "active", side: "remote", policy }, NOW - RTT);
  state.addSubflow(line);
  line.recordControl(-1, 0, HEADER, NOW - RTT);
  line.handleAck({ type: "ack", received: HEADER, delay: 0, time: (NOW - RTT / 2) * 1_000 }, NOW, () => {});
  return line;
}

/** A stream all of whose `bytes` are one frame on `line`. */
function addStream(state: SessionState, line: Subflow, bytes: number): Stream {
  const stream = state.addStream(0, undefined, NOW);
  stream.sendBuffer.append(Buffer.alloc(bytes), () => {});
  stream.sendBuffer.take(bytes, stream.sendLimit);
  line.recordData(0, 0, bytes, bytes + HEADER, false, NOW);
  return stream;
}

function copyLateTo(state: SessionState, line: Subflow): void {
  const lines = [...state.subflows.values()];
  copyLate(state, line, lines, state.now, Number.POSITIVE_INFINITY, (stream, offset, length) => {
    const payload = Buffer.alloc(length);
    state.noteSent(stream, line, { offset, payload }, length + HEADER, "copy");
  });
}

describe("what was copied", () => {
  it("is sent again once the copy's line has given it up, whatever the lines do in between", () => {
    const state = newState();
    const [a, b] = [addLine(state, 0), addLine(state, 1)];
    const stream = addStream(state, a, BYTES);
    b.recordData(0, 0, BYTES, BYTES + HEADER, true, NOW);
    const { oldest } = a.ledger;
    assert.ok(oldest);
    oldest.copy = { bytes: BYTES, ends: new Map([[b.id, b.ledger.sent]]) };

    surrender(state, a);
    assert.equal(stream.sendable, 0, "its copy is under way");
    surrender(state, b);
    assert.equal(stream.sendable, BYTES, "nothing of it is");
    handleLiveness(state, a, "suspect");
    assert.equal(stream.sendable, 0, "its first line lives after all");
    surrender(state, a);
    assert.equal(stream.sendable, BYTES, "that was the last hope");
  });

  it("in parts over several lines is sent again when one of these is gone", () => {
    const state = newState();
    const [a, b, c] = [addLine(state, 0), addLine(state, 1), addLine(state, 2)];
    const bytes = 24_000;
    const stream = addStream(state, a, bytes);
    state.now = NOW + 10 * RTT;
    copyLateTo(state, b);
    const part = a.ledger.oldest?.copy?.bytes ?? 0;
    assert.ok(part > 0 && part < bytes, `${part} bytes fit the first`);
    surrender(state, a);
    state.subflows.delete(b.id);
    surrender(state, b);
    handleLiveness(state, a, "suspect");
    assert.equal(stream.sendable, 0, "its first line lives");
    copyLateTo(state, c);
    assert.equal(a.ledger.oldest?.copy?.bytes, bytes, "the rest fits the second");

    surrender(state, a);
    assert.equal(stream.sendable, bytes);
  });

  it("in parts over one line is sent again when that has given up the first of them", () => {
    const state = newState();
    const [a, b] = [addLine(state, 0), addLine(state, 1)];
    const bytes = 12_000;
    const stream = addStream(state, a, bytes);
    state.now = NOW + 10 * RTT;
    const { copyCredit } = state;
    state.copyCredit = bytes / 2;
    copyLateTo(state, b);
    surrender(state, b);
    state.copyCredit = copyCredit;
    copyLateTo(state, b);
    assert.equal(a.ledger.oldest?.copy?.bytes, bytes);

    surrender(state, a);
    assert.equal(stream.sendable, bytes);
  });

  it("of a large frame follows on a slow line as fast as its highest rate allows, though nothing else is to be sent", () => {
    const state = newState();
    const rate = 125_000;
    const bytes = 15_000;
    const [a, b] = [addLine(state, 0), addLine(state, 1, rate)];
    addStream(state, a, bytes);
    let at = NOW + 10 * RTT;
    for (const end = at + (2_000 * bytes) / rate; at <= end; at = Math.max(at + 1, b.nextTimeout())) {
      state.now = at;
      b.handleTime(at);
      transmit(state, b, new Turn(state, at));
      // It is answered before it may send again.
      b.handleAck({ type: "ack", received: b.ledger.sent, delay: 0, time: at * 1_000 }, at, () => {});
    }
    assert.equal(a.ledger.oldest?.copy?.bytes, bytes);
  });
});
