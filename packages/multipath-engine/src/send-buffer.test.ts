import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Random } from "@hawser/shared-protocol/testing";
import { SendBuffer } from "./send-buffer.ts";
import { content } from "./testing/content.ts";

/** What of a byte is known: never sent, under way (how often), lost, acknowledged. */
type ByteState = "new" | "sent" | "lost" | "acked";

describe("SendBuffer", () => {
  it("sends each byte once, the lost again, and gives each buffer back once, under random operations", () => {
    for (let seed = 1; seed <= 40; seed++) compare(seed);
  });

  it("has each line that works ahead go on in its own place, as long as that is about its lead away", () => {
    const buffer = new SendBuffer();
    buffer.append(content(1, 0, 1_000_000), () => {});
    const [far, near] = [{}, {}];
    const take = (lead: number, line: object): number | undefined =>
      buffer.take(1_000, 1e6, { lead, line })?.offset;
    assert.deepEqual([take(100_000, far), take(2_000, near)], [110_000, 2_200]);
    assert.deepEqual([take(100_000, far), take(2_000, near)], [111_000, 3_200]);
    assert.equal(take(2_000, far), 4_200, "what is much nearer now is sent there");
  });

  it("gathers small writes and does not change what was handed out", () => {
    const buffer = new SendBuffer();
    buffer.append(Buffer.from("abc"));
    const first = buffer.take(10, 100)?.payload as Buffer;
    buffer.append(Buffer.from("def"));
    buffer.append(Buffer.from("ghi"));
    assert.equal(first.toString(), "abc");
    assert.equal(buffer.take(10, 100)?.payload.toString(), "defghi");
    buffer.acknowledge(0, 9);
    assert.equal(buffer.held, 0);
    buffer.append(Buffer.from("j"));
    assert.equal(buffer.take(10, 100)?.payload.toString(), "j");
  });

  it("counts what it takes: what was lent by whole buffers, small writes by those they are gathered in", () => {
    const buffer = new SendBuffer();
    buffer.append(Buffer.alloc(65_536).subarray(0, 20_000), () => {});
    assert.equal(buffer.memory, 65_536);
    buffer.append(Buffer.from("a"), () => {});
    buffer.append(Buffer.from("b"));
    assert.equal(buffer.memory, 65_536 + 4_096);
    buffer.append(Buffer.alloc(65_536).subarray(0, 5_000));
    assert.equal(buffer.memory, 65_536 + 4_096 + 5_000);
    buffer.take(20_000, 30_000);
    buffer.acknowledge(0, 20_000);
    assert.equal(buffer.memory, 4_096 + 5_000);
    buffer.discard();
    assert.equal(buffer.memory, 0);
  });

  it("empty writes are given back and change nothing", () => {
    const buffer = new SendBuffer();
    let released = 0;
    buffer.append(Buffer.alloc(0), () => released++);
    buffer.append(Buffer.alloc(5_000, 1), () => released++);
    buffer.append(Buffer.alloc(0), () => released++);
    buffer.append(Buffer.alloc(5_000, 2), () => released++);
    assert.equal(released, 2);
    assert.equal(buffer.take(65_536, 1e6)?.payload.length, 5_000);
    assert.equal(buffer.take(65_536, 1e6)?.payload.length, 5_000);
    assert.equal(buffer.take(65_536, 1e6), undefined);
  });

  it("stays below the credit, which does not hold for what was lost", () => {
    const buffer = new SendBuffer();
    buffer.append(Buffer.alloc(2_000));
    assert.equal(buffer.sendable(1_500), 1_500);
    assert.equal(buffer.take(4_096, 1_500)?.payload.length, 1_500);
    assert.equal(buffer.take(4_096, 1_500), undefined);
    buffer.lose(0, 1_500);
    assert.equal(buffer.sendable(1_500), 1_500);
    assert.equal(buffer.take(1_000, 1_500)?.payload.length, 1_000);
  });

  it("what comes back with its line is not sent again", () => {
    const buffer = new SendBuffer();
    buffer.append(Buffer.alloc(3_000));
    buffer.take(1_000, 1e6);
    buffer.take(1_000, 1e6);
    buffer.lose(0, 2_000);
    buffer.take(500, 1e6);
    buffer.regain(0, 2_000);
    assert.deepEqual(buffer.take(4_096, 1e6)?.offset, 2_000);
  });
});

function compare(seed: number): void {
  const random = new Random(seed);
  const buffer = new SendBuffer();
  const lines = [{}, {}];
  const states: ByteState[] = [];
  const underWay: { start: number; end: number }[] = [];
  let limit = 0;
  let lent = 0;
  let released = 0;
  for (let step = 0; step < 300; step++) {
    const where = `seed ${seed}, step ${step}`;
    limit = Math.max(limit, random.integer(0, 2 * states.length));
    const what = random.integer(0, 5);
    if (what <= 1) {
      const length = random.chance(0.5) ? random.integer(1, 200) : random.integer(1_024, 9_000);
      const from = states.length;
      lent++;
      buffer.append(content(1, from, length), () => released++);
      for (let i = 0; i < length; i++) states.push("new");
    } else if (what <= 3) {
      const sendable = buffer.sendable(limit);
      const lead = random.chance(0.5) ? random.integer(0, 20_000) : 0;
      const line = lines[random.integer(0, 1)] as object;
      const chunk = buffer.take(random.integer(1, 5_000), limit, { lead, line });
      if (lead === 0) assert.equal(chunk !== undefined, sendable > 0, where);
      if (!chunk) continue;
      const end = chunk.offset + chunk.payload.length;
      const first = states.findIndex((state) => state === "lost" || state === "new");
      if (lead === 0) assert.equal(chunk.offset, first, where);
      assert.ok(chunk.payload.equals(content(1, chunk.offset, chunk.payload.length)), where);
      for (let i = chunk.offset; i < end; i++) {
        assert.ok(
          states[i] === "lost" || (states[i] === "new" && i < limit),
          `${where}: byte ${i} is ${states[i]}`,
        );
        states[i] = "sent";
      }
      underWay.push({ start: chunk.offset, end });
    } else if (underWay.length > 0) {
      const [range] = underWay.splice(random.integer(0, underWay.length - 1), 1) as [
        { start: number; end: number },
      ];
      if (what === 4) buffer.acknowledge(range.start, range.end);
      else buffer.lose(range.start, range.end);
      for (let i = range.start; i < range.end; i++) {
        if (what === 4) states[i] = "acked";
        else if (states[i] !== "acked") states[i] = "lost";
      }
    }
    const firstUnacked = states.findIndex((state) => state !== "acked");
    const ackedTo = firstUnacked < 0 ? states.length : firstUnacked;
    assert.equal(buffer.ackedTo, ackedTo, where);
    assert.equal(buffer.held, states.length - ackedTo, where);
    const anyAt = random.integer(0, Math.max(0, states.length - 1));
    if (states.length > 0) assert.equal(buffer.isAcknowledged(anyAt, 1), states[anyAt] === "acked", where);
  }
  assert.ok(released <= lent);
  buffer.acknowledge(0, buffer.end);
  assert.equal(released, lent, `seed ${seed}`);
}
