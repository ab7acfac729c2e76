/** A stream for certain lines alone, as a speed test opens it, beside flows that take whatever their roles give. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type App, listen, open } from "./apps.ts";
import { type LineSpec, line, mbit, Network } from "./network.ts";

const DSL = line("dsl", 20, 5, 12);
const CABLE = line("cable", 40, 20, 20);
const SPARE: LineSpec = { ...line("spare", 10, 5, 30), role: "backup" };
const ENDLESS = 1e12;

/** An endless download that the remote gateway sends over `paths` alone. */
function restrictedDownload(network: Network, ...paths: string[]): App {
  listen(network.remote, (peer) => {
    network.remote.do((session) => session.restrict(peer.stream, new Set(paths)));
    peer.write({ bytes: ENDLESS });
  });
  return open(network.local);
}

/** Bytes of a download by path. */
function shares(network: Network, { stream }: App): Record<string, number> {
  const found = network.local.session.stream(stream)?.shares ?? new Map();
  return Object.fromEntries([...found].map(([path, { received }]) => [path, received]));
}

describe("a restricted stream", () => {
  for (const spec of [DSL, CABLE, SPARE]) {
    it(`fills ${spec.name} (${spec.role ?? "active"}), and goes over no other line`, () => {
      const network = new Network([DSL, CABLE, SPARE]);
      network.run(1_000);
      const app = restrictedDownload(network, spec.name);
      network.run(2_000);
      const before = app.received;
      network.run(5_000);
      assert.ok(app.received - before > 0.95 * spec.down.rate * 5_000, `${app.received - before} bytes`);
      assert.deepEqual(Object.keys(shares(network, app)), [spec.name]);
    });
  }

  it("over two of three lines has the sum of the two", () => {
    const network = new Network([DSL, CABLE, SPARE]);
    network.run(1_000);
    const app = restrictedDownload(network, "dsl", "spare");
    network.run(2_000);
    const before = app.received;
    network.run(5_000);
    assert.ok(app.received - before > 0.93 * mbit(30) * 5_000, `${app.received - before} bytes`);
    assert.deepEqual(Object.keys(shares(network, app)).sort(), ["dsl", "spare"]);
  });

  it("waits while its line is dead, and goes on when it is back; other flows carry on", () => {
    const network = new Network([DSL, CABLE]);
    network.run(1_000);
    const app = restrictedDownload(network, "dsl");
    network.run(2_000);
    network.line("dsl").blackhole();
    network.run(1_000);
    const stopped = app.received;
    listen(network.remote, (peer) => peer.write({ bytes: ENDLESS }));
    const other = open(network.local);
    network.run(2_000);
    assert.equal(app.received, stopped);
    assert.ok(other.received > 0.85 * CABLE.down.rate * 2_000, `${other.received} bytes`);
    network.line("dsl").restore();
    network.run(4_000);
    assert.ok(app.received > stopped);
    assert.deepEqual(Object.keys(shares(network, app)), ["dsl"]);
  });
});
