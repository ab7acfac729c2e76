import assert from "node:assert/strict";
import { test } from "node:test";
import { type DirectionSettings, Fate, LineDirection } from "./line-model.ts";

/** 1500 bytes at 12 Mbit/s take exactly 1 ms. */
const MS_PACKET = 1500;
const RATE = 12e6;

function line(settings: Partial<DirectionSettings>, capacity = 1024): LineDirection {
  return new LineDirection({ rate: RATE, ...settings }, 1, capacity);
}

/** Takes all packets that are under way; returns [arrival, slot] of each. */
function drain(direction: LineDirection): [number, number][] {
  const arrivals: [number, number][] = [];
  while (direction.size > 0) arrivals.push([direction.nextArrival(), direction.take()]);
  return arrivals;
}

test("a packet arrives after its transmission and the delay", () => {
  const direction = line({ delayMs: 10 });
  assert.equal(direction.nextArrival(), Infinity);
  assert.equal(direction.offer(100, 7, MS_PACKET), Fate.kept);
  assert.equal(direction.nextLength(), MS_PACKET);
  assert.deepEqual(drain(direction), [[111, 7]]);
});

test("packets are transmitted one after the other, for a time that their length gives", () => {
  const direction = line({ delayMs: 5 });
  direction.offer(0, 0, 1500);
  direction.offer(0, 1, 750);
  direction.offer(0.25, 2, 1500);
  direction.offer(50, 3, 1500);
  assert.deepEqual(drain(direction), [
    [6, 0],
    [6.5, 1],
    [7.5, 2],
    [56, 3],
  ]);
});

test("a line without a rate only delays", () => {
  const direction = line({ rate: Infinity, delayMs: 3, queueMs: 0 });
  direction.offer(0, 0, 1500);
  direction.offer(0, 1, 1500);
  assert.deepEqual(drain(direction), [
    [3, 0],
    [3, 1],
  ]);
});

test("a packet that would wait longer than the queue is dropped, and a later one is not", () => {
  const direction = line({ queueMs: 3 });
  const fates = Array.from({ length: 6 }, (_, slot) => direction.offer(0, slot, MS_PACKET));
  // Packets that wait 0, 1, 2 or 3 ms fit.
  assert.deepEqual(fates, [Fate.kept, Fate.kept, Fate.kept, Fate.kept, Fate.dropped, Fate.dropped]);
  assert.equal(direction.counters.queueDrops, 2);
  assert.equal(direction.backlogMs(0), 4);
  assert.equal(direction.offer(1, 6, MS_PACKET), Fate.kept);
});

test("the queue's limit in bytes", () => {
  const direction = line({ queueMs: Infinity, queueBytes: 2 * MS_PACKET });
  const fates = Array.from({ length: 4 }, (_, slot) => direction.offer(0, slot, MS_PACKET));
  assert.deepEqual(fates, [Fate.kept, Fate.kept, Fate.kept, Fate.dropped]);
});

test("more packets than the ring holds are dropped", () => {
  const direction = line({ rate: Infinity }, 4);
  const fates = Array.from({ length: 5 }, (_, slot) => direction.offer(0, slot, 40));
  assert.equal(fates.filter((fate) => fate === Fate.dropped).length, 1);
  drain(direction);
  assert.equal(direction.offer(0, 5, 40), Fate.kept);
});

test("an overloaded line delivers exactly its rate", () => {
  const direction = line({ queueMs: 20 });
  let delivered = 0;
  for (let now = 0; now < 1000; now += 0.5) {
    direction.offer(now, 0, MS_PACKET);
    while (direction.nextArrival() <= now) {
      direction.take();
      delivered++;
    }
  }
  assert.ok(Math.abs(delivered - 999) <= 1, `${delivered} packets of 1 ms in a second`);
});

test("losses have their share, use transmission time, and repeat with the seed", () => {
  const run = (seed: number): boolean[] => {
    const direction = new LineDirection({ rate: RATE, loss: 0.1, queueMs: Infinity }, seed, 1 << 15);
    const lost = Array.from({ length: 10_000 }, () => direction.offer(0, 0, MS_PACKET) === Fate.dropped);
    assert.equal(direction.counters.lossDrops, lost.filter(Boolean).length);
    assert.equal(Math.round(direction.backlogMs(0)), 10_000);
    return lost;
  };
  const lost = run(5);
  const share = lost.filter(Boolean).length / lost.length;
  assert.ok(share > 0.09 && share < 0.11, `${share} lost`);
  assert.deepEqual(run(5), lost);
  assert.notDeepEqual(run(6), lost);
});

test("a blackhole swallows arriving packets and packets under way, and takes no time", () => {
  const direction = line({ delayMs: 10 });
  direction.offer(0, 0, MS_PACKET);
  direction.set(0.5, { blackhole: true });
  assert.equal(direction.offer(0.6, 1, MS_PACKET), Fate.dropped);
  assert.equal(direction.take(), 0);
  assert.equal(direction.counters.blackholeDrops, 2);
  assert.equal(direction.counters.deliveredPackets, 0);
  direction.set(20, { blackhole: false });
  direction.offer(20, 2, MS_PACKET);
  assert.deepEqual(drain(direction), [[31, 2]]);
  assert.deepEqual([direction.counters.deliveredPackets, direction.counters.deliveredBytes], [1, MS_PACKET]);
});

test("a new rate holds for waiting packets and for the packet in transmission", () => {
  const direction = line({ delayMs: 10 });
  for (let slot = 0; slot < 3; slot++) direction.offer(0, slot, MS_PACKET);
  // At 1.5 ms the first packet is on the wire, and half of the second is sent.
  direction.set(1.5, { rate: RATE / 2 });
  assert.equal(direction.backlogMs(1.5), 3);
  assert.deepEqual(drain(direction), [
    [11, 0],
    [12.5, 1],
    [14.5, 2],
  ]);
});

test("a new delay holds for waiting packets, and never reorders packets", () => {
  const direction = line({ delayMs: 10 });
  for (let slot = 0; slot < 3; slot++) direction.offer(0, slot, MS_PACKET);
  direction.set(1.5, { delayMs: 1 });
  direction.offer(1.5, 3, MS_PACKET);
  assert.deepEqual(drain(direction), [
    [11, 0],
    [11, 1],
    [11, 2],
    [11, 3],
  ]);
});

test("a line without a rate gets one, and loses it again", () => {
  const direction = line({ rate: Infinity });
  direction.offer(0, 0, MS_PACKET);
  direction.set(0, { rate: RATE });
  direction.offer(0, 1, MS_PACKET);
  direction.offer(0, 2, MS_PACKET);
  direction.set(0.5, { rate: Infinity });
  assert.deepEqual(drain(direction), [
    [0, 0],
    [0.5, 1],
    [0.5, 2],
  ]);
});

test("settings that make no sense are refused and change nothing", () => {
  const direction = line({});
  const wrong: Partial<DirectionSettings>[] = [
    { rate: 0 },
    { delayMs: -1 },
    { queueMs: Number.NaN },
    { loss: 1.1 },
  ];
  for (const change of wrong) assert.throws(() => direction.set(0, change), RangeError);
  assert.equal(direction.settings.rate, RATE);
  assert.throws(() => new LineDirection({}, 1, 1000), /power of two/);
});
