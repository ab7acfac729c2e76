import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MemoryBudget } from "./memory-budget.ts";
import { handleLiveness, surrender } from "./reinjection.ts";
import { SessionState } from "./state.ts";
import { Subflow } from "./subflow.ts";

const NOW = 1_000;
const BYTES = 2_000;

describe("what was copied", () => {
  it("is sent again once the copy's line has given it up, whatever the lines do in between", () => {
    const state = new SessionState({ side: "remote", memory: new MemoryBudget(1e6) }, NOW);
    const [a, b] = [0, 1].map((id) => {
      const subflow = new Subflow({ id, path: `p${id}`, role: "active", side: "remote" }, NOW);
      state.subflows.set(id, subflow);
      return subflow;
    }) as [Subflow, Subflow];
    const stream = state.addStream(0, undefined, NOW);
    stream.sendBuffer.append(Buffer.alloc(BYTES), () => {});
    stream.sendBuffer.take(BYTES, stream.sendLimit);
    a.recordData(0, 0, BYTES, BYTES + 8, false, NOW);
    b.recordData(0, 0, BYTES, BYTES + 8, true, NOW);
    const { oldest } = a.ledger;
    assert.ok(oldest);
    oldest.copy = { on: b.id, end: b.ledger.sent };

    surrender(state, a);
    assert.equal(stream.sendable, 0, "its copy is under way");
    surrender(state, b);
    assert.equal(stream.sendable, BYTES, "nothing of it is");
    handleLiveness(state, a, "suspect");
    assert.equal(stream.sendable, 0, "its first line lives after all");
    surrender(state, a);
    assert.equal(stream.sendable, BYTES, "that was the last hope");
  });
});
