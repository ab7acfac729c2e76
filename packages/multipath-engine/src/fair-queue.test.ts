import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Random } from "@hawser/shared-protocol/testing";
import { FairQueue } from "./fair-queue.ts";
import { QUANTUM, REFUSALS } from "./parameters.ts";

const any = (): boolean => true;

describe("FairQueue", () => {
  it("gives equal bytes to streams that always have more, whatever their chunks", () => {
    const queue = new FairQueue();
    const chunks = [1_400, 4_096, 16_384, 65_536];
    const sent = chunks.map(() => 0);
    chunks.forEach((_, stream) => queue.enqueue(stream));
    for (let n = 0; n < 40_000; n++) {
      const stream = queue.next(any) as number;
      sent[stream] = (sent[stream] as number) + (chunks[stream] as number);
      queue.charge(stream, chunks[stream] as number);
    }
    const most = Math.max(...sent);
    for (const each of sent) assert.ok(most - each <= 65_536 + 2 * QUANTUM, `${sent.join()}`);
  });

  it("serves a new stream before the old ones, for one quantum", () => {
    const queue = new FairQueue();
    queue.enqueue(1);
    queue.charge(1, QUANTUM);
    queue.enqueue(2);
    assert.equal(queue.next(any), 2);
    queue.charge(2, QUANTUM);
    assert.equal(queue.next(any), 1);
  });

  it("a stream that runs dry and returns at once is not new again", () => {
    const queue = new FairQueue();
    queue.enqueue(1);
    queue.charge(1, QUANTUM);
    assert.equal(queue.next(any), 1);
    queue.enqueue(2);
    queue.charge(2, 100);
    queue.idle(2);
    queue.enqueue(2);
    assert.equal(queue.next(any), 1);
  });

  it("passes over what a line may not carry, and charges it all the same", () => {
    const queue = new FairQueue();
    queue.enqueue(1);
    queue.enqueue(2);
    assert.equal(
      queue.next((stream) => stream === 2),
      2,
    );
    assert.equal(
      queue.next(() => false),
      undefined,
    );
    assert.deepEqual([...queue.rivals(2)], [1]);
  });

  it("is fair among the others while the stream at the head is for another line", () => {
    const queue = new FairQueue();
    const sent = [0, 0, 0, 0];
    for (const stream of sent.keys()) queue.enqueue(stream);
    for (const stream of sent.keys()) queue.charge(stream, 1);
    for (let n = 0; n < 4_000; n++) {
      const stream = queue.next((candidate) => candidate !== 0) as number;
      sent[stream] = (sent[stream] as number) + 4_096;
      queue.charge(stream, 4_096);
    }
    assert.equal(sent[0], 0);
    assert.ok(Math.max(...sent.slice(1)) - Math.min(...sent.slice(1)) <= 2 * QUANTUM, `${sent.join()}`);
  });

  it("asks few of many streams that all wait for another line", () => {
    const queue = new FairQueue();
    let asked = 0;
    for (let stream = 0; stream < 5_000; stream++) queue.enqueue(stream);
    for (let stream = 0; stream < 2_500; stream++) queue.charge(stream, QUANTUM);
    const serves = (): boolean => ++asked < 0;
    assert.equal(queue.next(serves), undefined);
    assert.ok(asked <= 2 * REFUSALS, `${asked}`);
  });

  it("keeps nothing of streams that are over, and never names one, under random operations", () => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = new Random(seed);
      const queue = new FairQueue();
      const waiting = new Set<number>();
      for (let step = 0; step < 2_000; step++) {
        const stream = random.integer(0, 20);
        const what = random.integer(0, 4);
        if (what <= 1) {
          queue.enqueue(stream);
          waiting.add(stream);
        } else if (what === 2) {
          queue.idle(stream);
          waiting.delete(stream);
        } else if (what === 3) {
          queue.remove(stream);
          waiting.delete(stream);
        } else {
          queue.charge(stream, random.integer(1, 40_000));
        }
        const next = queue.next(any);
        assert.equal(next === undefined, waiting.size === 0, `seed ${seed}, step ${step}`);
        if (next !== undefined) assert.ok(waiting.has(next), `seed ${seed}, step ${step}`);
      }
      for (let stream = 0; stream <= 20; stream++) queue.remove(stream);
      assert.equal(queue.size, 0);
    }
  });
});
