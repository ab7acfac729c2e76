/** Roles and policies of lines, under load on virtual time: who carries what, and how soon that changes. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type App, listen, open } from "./apps.ts";
import { Bulk, type Direction } from "./bulk.ts";
import { type Line, type LineSpec, line, mbit, Network } from "./network.ts";

const DSL = line("dsl", 20, 5, 12);
const LTE: LineSpec = { ...line("lte", 40, 20, 30), role: "overflow" };
const SPARE: LineSpec = { ...line("spare", 10, 5, 30), role: "backup" };

/** Bytes that went over each line in this direction, since `before` if that is given. */
function carried(network: Network, direction: Direction, before: readonly number[] = []): number[] {
  const sender = direction === "down" ? network.remote : network.local;
  const { subflows } = sender.session;
  const sent = new Map([...subflows].map(({ path, ledger }) => [path, ledger.sent]));
  return network.lines.map(({ spec }, i) => (sent.get(spec.name) ?? 0) - (before[i] ?? 0));
}

/** A download of `rate` bytes per millisecond, written as it comes. */
function stream(network: Network, rate: number): App {
  let writer: App | undefined;
  listen(network.remote, (peer) => {
    writer = peer;
  });
  const app = open(network.local);
  const write = (): void => {
    writer?.write({ bytes: Math.round(rate * 10) }, false);
    network.clock.after(10, write);
  };
  write();
  return app;
}

describe("an overflow line", () => {
  it("carries under 1 % while the active ones can take the load, be it 80 % of theirs", () => {
    const network = new Network([DSL, LTE]);
    network.run(1_000);
    stream(network, mbit(16));
    network.run(2_000);
    const before = carried(network, "down");
    network.run(20_000);
    const [dsl, lte] = carried(network, "down", before) as [number, number];
    assert.ok(dsl > mbit(15) * 20_000, `${dsl} bytes`);
    assert.ok(lte < 0.01 * dsl, `${lte} of ${dsl} bytes`);
  });

  for (const direction of ["down", "up"] as const) {
    it(`is used in full by a bulk flow ${direction} within 3 s, and no more when that is over`, () => {
      const bulk = new Bulk([DSL, LTE], direction);
      assert.ok(bulk.timeTo(0.95, 250, 10_000) <= 4_000);
      assert.ok(bulk.run(10_000) >= 0.97);
      const { network } = bulk;
      bulk.reader.reset();
      network.run(4_500);
      const before = carried(network, direction);
      const app = stream(network, mbit(4));
      network.run(5_000);
      const [, lte] = carried(network, direction, before) as [number, number];
      assert.ok(app.received > 0.9 * mbit(4) * 5_000);
      assert.ok(lte < 20_000, `${lte} bytes`);
      const sender = direction === "down" ? network.remote : network.local;
      const changes = sender.events.filter((event) => event.type === "tier");
      const [into, outOf] = changes;
      assert.deepEqual(
        changes.map(({ top, before, reason }) => [top, before, reason]),
        [
          [1, 0, "full"],
          [0, 1, "calm"],
        ],
      );
      assert.ok(into?.share !== undefined && into.share >= 0.95 && into.share <= 1, `${into?.share}`);
      assert.ok(outOf?.share !== undefined && outOf.share < 0.8, `${outOf?.share}`);
    });
  }

  it("takes over at once when the active lines fail, and is left at once when they are back", () => {
    const bulk = new Bulk([DSL, LTE], "down");
    const { network } = bulk;
    bulk.run(1_500);
    bulk.reader.longestGap = 0;
    network.line("dsl").blackhole();
    bulk.run(1_000);
    assert.ok(bulk.reader.longestGap <= 300, `a gap of ${bulk.reader.longestGap} ms`);
    assert.ok(bulk.run(2_000) >= (0.9 * 40) / 60);
    assert.ok(network.remote.events.some((event) => event.type === "tier" && event.reason === "alone"));
  });

  it("with tiers: the second is used only when the first is full as well", () => {
    const second: LineSpec = { ...line("sat", 10, 5, 60), role: "overflow", policy: { tier: 2 } };
    const network = new Network([DSL, LTE, second]);
    network.run(1_000);
    stream(network, mbit(45));
    network.run(10_000);
    const before = carried(network, "down");
    network.run(10_000);
    const [dsl, lte, sat] = carried(network, "down", before) as [number, number, number];
    assert.ok(dsl > 0.95 * mbit(20) * 10_000, `${dsl} bytes`);
    assert.ok(lte > 0.8 * mbit(25) * 10_000, `${lte} bytes`);
    assert.ok(sat < 0.01 * dsl, `${sat} bytes`);
    const bulk = new Bulk([DSL, LTE, second], "down");
    assert.ok(bulk.timeTo(0.95, 500, 15_000) <= 8_000);
  });

  it("does not flap under a load between its limits", () => {
    const network = new Network([DSL, LTE]);
    network.run(1_000);
    stream(network, mbit(22));
    network.run(5_000);
    let changes = 0;
    let used = network.remote.session.usedPaths.has("lte");
    for (let t = 0; t < 60_000; t += 50) {
      network.run(50);
      const now = network.remote.session.usedPaths.has("lte");
      if (now !== used) changes++;
      used = now;
    }
    assert.ok(changes <= 2, `${changes} changes in a minute`);
  });
});

describe("a backup line", () => {
  it("is idle while an active one lives, takes over within 300 ms, and is left when that is back", () => {
    const bulk = new Bulk([DSL, SPARE], "down");
    const { network } = bulk;
    bulk.run(5_000);
    assert.ok((carried(network, "down")[1] as number) < 1_000);
    bulk.reader.longestGap = 0;
    network.line("dsl").blackhole();
    bulk.run(3_000);
    assert.ok(bulk.reader.longestGap <= 300, `a gap of ${bulk.reader.longestGap} ms`);
    assert.ok(bulk.run(5_000) >= (0.8 * 10) / 30);
    network.line("dsl").restore();
    assert.ok(bulk.timeTo(0.6, 250, 10_000) <= 7_000);
    network.run(2_000);
    const before = carried(network, "down");
    bulk.run(3_000);
    assert.ok((carried(network, "down", before)[1] as number) < 1_000);
  });
});

describe("a line with a rate of its own", () => {
  const rateOf = (each: Line): number => (each.spec.maxRate?.down ?? 0) as number;

  for (const [name, lines] of [
    ["above what it is allowed", [{ ...line("a", 50, 10, 10), maxRate: { down: mbit(8) } }]],
    [
      "twice over, as parallel subflows do",
      [
        { ...line("a", 50, 10, 10), name: "a", maxRate: { down: mbit(8) } },
        { ...line("b", 50, 10, 10), name: "a", maxRate: { down: mbit(8) } },
      ],
    ],
  ] as const) {
    it(`keeps to it: ${name}`, () => {
      const bulk = new Bulk(lines, "down");
      const { network } = bulk;
      bulk.run(1_000);
      for (let second = 0; second < 5; second++) {
        const before = bulk.reader.received;
        network.run(1_000);
        // What headers and records take of it is not payload.
        const share = ((bulk.reader.received - before) * (1 + 60 / 1_448) * 1.016) / mbit(8) / 1_000;
        assert.ok(share > 0.96 && share <= 1.02, `${share} of its rate`);
      }
    });
  }

  it("does not hold up the others, nor is it waited for", () => {
    const limited = { ...line("a", 50, 10, 5), maxRate: { down: mbit(5) } };
    const bulk = new Bulk([limited, line("b", 20, 5, 20)], "down");
    bulk.run(2_000);
    const share = (bulk.run(5_000) * bulk.capacity) / (rateOf(bulk.network.line("a")) + mbit(20));
    assert.ok(share > 0.93 && share <= 1.01, `${share} of what they may carry`);
    const small = open(bulk.network.local);
    const startedAt = bulk.network.clock.now;
    bulk.network.runUntil(() => small.firstByteAt !== undefined, 2_000, 1);
    assert.ok(bulk.network.clock.now - startedAt < 150, `${bulk.network.clock.now - startedAt} ms`);
  });
});

describe("a rationed line", () => {
  it("sends no more than its allowance, and goes on when that grows", () => {
    const network = new Network([{ ...DSL, policy: { rationed: true } }, SPARE]);
    network.run(1_000);
    const grant = (receive: number): void => {
      const id = network.line("dsl").subflow as number;
      network.local.do((session) => session.setAllowance(id, { send: 1e9, receive }));
    };
    listen(network.remote, (peer) => peer.write({ bytes: 1e12 }));
    grant(300_000);
    const app = open(network.local);
    network.run(3_000);
    const [first, spare] = carried(network, "down") as [number, number];
    assert.ok(first > 280_000 && first <= 302_000, `${first} bytes`);
    assert.ok(spare > 100_000, `the backup has ${spare} bytes`);
    grant(500_000);
    network.run(3_000);
    const [second] = carried(network, "down") as [number, number];
    assert.ok(second - first > 480_000 && second - first <= 502_000, `${second - first} bytes`);
    grant(Number.POSITIVE_INFINITY);
    const before = app.received;
    network.run(3_000);
    assert.ok(app.received - before > 0.9 * mbit(20) * 3_000);
  });
});

describe("a metered line", () => {
  it("is pinged rarely while idle", () => {
    const plain = new Network([DSL]);
    const metered = new Network([{ ...DSL, policy: { metered: true } }]);
    for (const network of [plain, metered]) network.run(600_000);
    const [often] = carried(plain, "up") as [number];
    const [rarely] = carried(metered, "up") as [number];
    assert.ok(rarely < often / 10, `${rarely} bytes in ten minutes instead of ${often}`);
  });
});
