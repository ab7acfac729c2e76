import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { StreamCode } from "@hawser/shared-protocol";
import { type App, listen, open } from "./apps.ts";
import { Bulk } from "./bulk.ts";
import { line, mbit, Network } from "./network.ts";

const PAIR = [line("a", 20, 20, 12), line("b", 20, 20, 15)];
const RTT = 30;
/** SUSPECT_MIN: a line that says nothing is given up for the moment after this. */
const SUSPECT = 150;

describe("a line stalls for less than it takes to suspect it", () => {
  it("small flows do not wait for it: what is late is copied, and little of it", () => {
    const network = new Network(PAIR);
    network.run(1_000);
    listen(network.remote, (peer) => peer.write({ bytes: 30_000 }));
    const waits: number[] = [];
    for (let n = 0; n < 400; n++) {
      if (n % 40 === 5) network.line("a").down?.stall(140);
      const app = open(network.local);
      app.end();
      const startedAt = network.clock.now;
      assert.ok(network.runUntil(() => app.ended, 2_000, 1));
      waits.push(network.clock.now - startedAt);
      network.run(network.random.between(5, 200));
    }
    assert.ok(Math.max(...waits) <= 120, `${Math.max(...waits)} ms`);
    const { copied, sent } = network.remote.session.totals;
    assert.ok(copied > 0 && copied <= 0.025 * sent, `${copied} of ${sent} bytes copied`);
  });

  it("nothing is saved up for it over months", () => {
    const bulk = new Bulk(PAIR, "down");
    bulk.run(60_000);
    const { totals } = bulk.sender.session;
    const before = totals.copied;
    const { sent } = totals;
    for (let n = 0; n < 100; n++) {
      bulk.network.line("a").down?.stall(140);
      bulk.run(200);
    }
    const share = (totals.copied - before - 1_048_576) / (totals.sent - sent);
    assert.ok(totals.copied > before && share <= 0.02, `${share} of what was sent, beyond what was saved`);
  });

  it("a busy pair copies nothing", () => {
    const bulk = new Bulk(PAIR, "down");
    bulk.run(10_000);
    assert.equal(bulk.sender.session.totals.reinjected, 0);
  });
});

describe("a line fails", () => {
  for (const direction of ["down", "up"] as const) {
    it(`silently, ${direction}: the flow goes on over the other within ${SUSPECT} ms and two round trips`, () => {
      const bulk = new Bulk(PAIR, direction);
      bulk.run(4_000);
      bulk.reader.longestGap = 0;
      bulk.network.line("a").blackhole();
      bulk.run(1_000);
      assert.ok(bulk.reader.longestGap <= SUSPECT + 2 * RTT, `a gap of ${bulk.reader.longestGap} ms`);
      assert.ok(bulk.run(2_000) >= 0.49, "the other line is not used whole");
      bulk.network.line("a").restore();
      assert.ok(bulk.timeTo(0.95, 250, 10_000) <= 6_000, "the line that returned is not used");
    });

    it(`far away, ${direction}: what had arrived is not sent again, nor what was copied`, () => {
      const bulk = new Bulk([line("near", 20, 20, 7), line("far", 20, 20, 75)], direction);
      bulk.run(6_000);
      const far = [...bulk.sender.session.subflows].find(({ path }) => path === "far");
      const underWay = far?.unackedBytes ?? 0;
      const { reinjected } = bulk.sender.session.totals;
      assert.equal(reinjected, 0);
      bulk.network.line("far").blackhole();
      bulk.run(2_000);
      const again = bulk.sender.session.totals.reinjected;
      assert.ok(again > 0.4 * underWay && again < 0.65 * underWay, `${again} of ${underWay} bytes`);
    });

    it(`far away, with larger chunks, ${direction}: copies fit the near line, the reader need not wait for a suspicion`, () => {
      for (const ms of [7_500, 8_000, 8_500, 9_000, 9_500]) {
        const bulk = new Bulk([line("near", 20, 20, 15), line("far", 50, 50, 300)], direction);
        bulk.run(ms);
        bulk.reader.longestGap = 0;
        bulk.network.line("far").blackhole();
        bulk.run(5_000);
        assert.ok(bulk.reader.longestGap <= 80, `a gap of ${bulk.reader.longestGap} ms`);
      }
    });

    it(`with its interface, ${direction}: the other end is told over the other line, no suspicion needed`, () => {
      const bulk = new Bulk(PAIR, direction);
      bulk.run(4_000);
      bulk.reader.longestGap = 0;
      bulk.network.line("a").unplug();
      bulk.run(1_000);
      assert.ok(bulk.reader.longestGap <= 3 * RTT, `a gap of ${bulk.reader.longestGap} ms`);
      assert.ok(bulk.run(2_000) >= 0.49, "the other line is not used whole");
      bulk.network.line("a").restore();
      assert.ok(bulk.timeTo(0.95, 250, 10_000) <= 6_000, "the line that returned is not used");
    });

    it(`with a reset, ${direction}: no pause to speak of`, () => {
      const bulk = new Bulk(PAIR, direction);
      bulk.run(4_000);
      bulk.reader.longestGap = 0;
      bulk.network.line("a").reset();
      bulk.run(500);
      assert.ok(bulk.reader.longestGap <= 4 * RTT, `a gap of ${bulk.reader.longestGap} ms`);
      assert.ok(bulk.timeTo(0.95, 250, 5_000) <= 1_500, "the line that returned is not used");
    });
  }

  it("that works far ahead: what is lost with it is not sent before what the reader needs next", () => {
    const bulk = new Bulk([line("fast", 20, 20, 15), line("far", 50, 50, 300)], "down");
    bulk.run(6_000);
    bulk.reader.longestGap = 0;
    bulk.network.line("far").reset();
    bulk.run(5_000);
    // What had come over it and was not acknowledged yet is sent twice: a round trip of its rate at most.
    assert.ok(bulk.reader.longestGap <= 700, `a gap of ${bulk.reader.longestGap} ms`);
  });

  it("both lines for half a minute: the flow waits, and goes on at once", () => {
    const bulk = new Bulk(PAIR, "down");
    bulk.run(4_000);
    for (const each of bulk.network.lines) each.blackhole();
    bulk.run(5_000);
    const { turns } = bulk.sender;
    bulk.run(25_000);
    assert.ok(bulk.sender.turns - turns <= 100, `${bulk.sender.turns - turns} turns with nothing to do`);
    for (const each of bulk.network.lines) each.restore();
    assert.ok(bulk.timeTo(0.95, 250, 10_000) <= 6_000);
  });

  it("both lines for longer than a session lives: it ends, on both sides", () => {
    const bulk = new Bulk(PAIR, "down");
    for (const each of bulk.network.lines) each.blackhole();
    bulk.run(190_000);
    for (const end of [bulk.network.local, bulk.network.remote]) {
      assert.equal(end.session.isClosed, true);
      assert.equal(end.session.memory.heldToRead, 0);
      assert.equal(end.session.memory.heldToSend, 0);
    }
    assert.equal(bulk.reader.resetCode, StreamCode.shutdown);
  });

  it("again and again, at random: every byte arrives once and in order", () => {
    for (let seed = 1; seed <= 8; seed++) survive(seed);
  });

  it("a new flow opens while the line that is first in order is dead", () => {
    const network = new Network(PAIR);
    network.run(1_000);
    listen(network.remote, (peer) => peer.write({ bytes: 10_000 }));
    network.line("a").blackhole();
    const startedAt = network.clock.now;
    const app = open(network.local);
    assert.ok(network.runUntil(() => app.ended, 5_000, 1));
    // Nothing was ever sent on the pair, so that a PING's time is all that is known of it.
    assert.ok(network.clock.now - startedAt <= SUSPECT + 4 * RTT, `${network.clock.now - startedAt} ms`);
  });

  it("a small flow during a bulk flow hardly waits for the dead line", () => {
    const bulk = new Bulk(PAIR, "down");
    bulk.run(3_000);
    bulk.network.line("a").blackhole();
    bulk.run(1_000);
    const app = open(bulk.network.local);
    const startedAt = bulk.network.clock.now;
    bulk.network.runUntil(() => app.firstByteAt !== undefined, 2_000, 1);
    assert.ok(bulk.network.clock.now - startedAt <= 4 * RTT, `${bulk.network.clock.now - startedAt} ms`);
  });
});

/** One upload and one download while lines stall, are cut, reset and restored. */
function survive(seed: number): void {
  const network = new Network(PAIR, { seed });
  const { random } = network;
  network.run(500);
  const size = 6_000_000;
  const app = open(network.local);
  const peers = listen(network.remote, (peer) =>
    peer.write({ bytes: size, piece: random.integer(100, 60_000) }),
  );
  app.write({ bytes: size, piece: random.integer(100, 60_000) });
  const done = (): boolean => app.closed && peers.get(app.stream)?.closed === true;
  for (let n = 0; n < 400 && !done(); n++) {
    network.run(random.between(20, 300));
    if (n < 40) hurt(network);
    else for (const each of network.lines) each.restore();
  }
  const peer = peers.get(app.stream) as App;
  assert.ok(done(), `seed ${seed}: not over; received ${app.received} and ${peer.received}`);
  assert.equal(app.received, size, `seed ${seed}`);
  assert.equal(peer.received, size, `seed ${seed}`);
  assert.deepEqual([app.releases, peer.releases], [app.lent, peer.lent], `seed ${seed}: buffers given back`);
  for (const end of [network.local, network.remote]) assert.equal(end.session.memory.heldToSend, 0);
}

function hurt(network: Network): void {
  const { random } = network;
  const each = random.pick(network.lines);
  const what = random.integer(0, 7);
  if (what === 0) each.blackhole();
  else if (what === 1) each.reset();
  else if (what <= 3) each.restore();
  else if (what === 4) each.down?.stall(random.between(20, 800));
  else if (what === 5) each.up?.stall(random.between(20, 800));
  else if (what === 6) each.unplug();
  else
    each.change({ down: { rate: mbit(random.between(1, 50)) }, up: { rate: mbit(random.between(1, 50)) } });
}
