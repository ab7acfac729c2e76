import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { Random } from "@hawser/shared-protocol/testing";
import type { GreedySource } from "@hawser/status-api/model";
import { FairShare, type SharedFlow } from "./fair-share.ts";

/** The room of a gateway with the default memory. */
const ROOM = 16_384;
const GREEDY = "192.168.77.3";
const QUIET = "192.168.77.2";

describe("FairShare", () => {
  let share: FairShare;
  let told: GreedySource[];
  let displaced: string[];
  let isMemoryShort: boolean;
  let now: number;
  let standing: Set<SharedFlow>;
  beforeEach(() => {
    told = [];
    displaced = [];
    isMemoryShort = false;
    now = 1_000;
    standing = new Set();
    share = new FairShare({
      room: ROOM,
      isMemoryShort: () => isMemoryShort,
      onGreedy: (greedy) => told.push(greedy),
    });
  });

  /** A flow in dialling; undefined when it is refused. */
  function dial(source: string): SharedFlow | undefined {
    if (!share.admit(source, now)) return undefined;
    const flow: SharedFlow = {
      source,
      displace: () => {
        displaced.push(source);
        end(flow);
      },
    };
    share.add(flow, now);
    standing.add(flow);
    return flow;
  }

  function end(flow: SharedFlow): void {
    standing.delete(flow);
    share.remove(flow);
  }

  /** A flow whose destination has answered. */
  function open(source: string): SharedFlow | undefined {
    const flow = dial(source);
    if (flow) share.handleOpened(flow);
    return flow;
  }

  /** Returns how many of `count` flows find room. */
  function openMany(source: string, count: number): number {
    let opened = 0;
    for (let n = 0; n < count; n++) if (open(source)) opened++;
    return opened;
  }

  it("one source alone may hold 15 000 idle flows, and others still find room", () => {
    assert.equal(openMany(GREEDY, 15_000), 15_000);
    assert.equal(openMany(QUIET, 100), 100);
    assert.deepEqual([told, displaced, share.isFull], [[], [], false]);
  });

  it("the last part of the room is for sources with few flows", () => {
    const most = openMany(GREEDY, 20_000);
    assert.equal(most, ROOM * (15 / 16));
    assert.equal(openMany(QUIET, 500), 500);
    assert.equal(openMany("192.168.77.4", 500), 500);
    assert.equal(open(GREEDY), undefined);
    assert.equal(openMany(QUIET, 1_000), ROOM - most - 1_000);
    assert.equal(share.isFull, true);
    assert.deepEqual(told, [{ source: GREEDY, flows: most, dialling: 0, refused: 1 }]);
  });

  it("among many sources that take all they get, later ones find room, too", () => {
    for (let n = 0; n < 20_000; n++) open(`192.168.77.${100 + (n % 10)}`);
    assert.equal(openMany(QUIET, 100), 100);
    assert.equal(open("192.168.77.100"), undefined);
  });

  it("a source whose flows end may open others", () => {
    const flows = Array.from({ length: 16_000 }, () => open(GREEDY));
    const held = flows.filter((flow) => flow !== undefined);
    assert.equal(open(GREEDY), undefined);
    for (const flow of held.slice(0, 1_000)) end(flow);
    assert.equal(openMany(GREEDY, 2_000), 1_000);
    for (const flow of held.slice(1_000)) end(flow);
    assert.equal(share.flows, 1_000);
  });

  it("when flows fill the memory, sources with few flows are served", () => {
    openMany(GREEDY, 100);
    isMemoryShort = true;
    assert.equal(open(GREEDY), undefined);
    assert.equal(openMany(QUIET, 100), 50);
    isMemoryShort = false;
    assert.ok(open(GREEDY));
  });

  it("600 flows a second to destinations that do not answer displace one another, and nobody else's", () => {
    let [greedy, quiet] = [0, 0];
    for (let ms = 0; ms < 60_000; ms += 10) {
      now += 10;
      for (let n = 0; n < 6; n++) if (dial(GREEDY)) greedy++;
      if (ms % 1_000 === 0 && dial(QUIET)) quiet++;
    }
    assert.deepEqual([greedy, quiet], [36_000, 60]);
    assert.ok(share.dialling <= ROOM / 4);
    assert.ok(displaced.length > 30_000);
    assert.ok(displaced.every((source) => source === GREEDY));
    assert.deepEqual(
      told.map(({ source }) => source),
      [GREEDY],
    );
  });

  it("flows that come all at once are dialled, however many: a destination may answer late", () => {
    let dialled = 0;
    for (let n = 0; n < 15_000; n++) if (dial(GREEDY)) dialled++;
    assert.deepEqual([dialled, displaced.length], [15_000, 0]);
  });

  it("a source without room loses a flow that it has dialled in vain", () => {
    const room = 16;
    share = new FairShare({ room, isMemoryShort: () => true, onGreedy: (greedy) => told.push(greedy) });
    dial(GREEDY);
    assert.equal(dial(GREEDY), undefined);
    now += 3_000;
    assert.ok(dial(GREEDY));
    assert.deepEqual(displaced, [GREEDY]);
    assert.equal(share.flows, 1);
  });

  it("a source is greedy for a minute, and is reported once in each minute", () => {
    openMany(GREEDY, 20_000);
    assert.equal(share.greedy(now)?.refused, 20_000 - share.flows);
    assert.equal(share.greedy(now)?.source, GREEDY);
    now += 59_999;
    open(GREEDY);
    assert.equal(told.length, 1);
    now += 1;
    open(GREEDY);
    assert.equal(told.length, 2);
    now += 60_000;
    assert.equal(share.greedy(now), undefined);
    open(GREEDY);
    assert.equal(share.greedy(now)?.refused, 1);
  });

  it("counts right under random use", () => {
    const random = new Random(1);
    share = new FairShare({ room: 64, isMemoryShort: () => false, onGreedy: () => {} });
    for (let step = 0; step < 20_000; step++) {
      now += random.integer(0, 50);
      const source = `s${random.integer(0, 8)}`;
      if (random.chance(0.5)) open(source);
      else dial(source);
      if (random.chance(0.4) && standing.size > 0) end(random.pick([...standing]));
      assert.equal(share.flows, standing.size);
      assert.ok(share.flows <= 64 && share.dialling <= share.flows);
    }
    for (const flow of standing) end(flow);
    assert.deepEqual([share.flows, share.dialling], [0, 0]);
    assert.equal(openMany(GREEDY, 100), 60);
  });
});
