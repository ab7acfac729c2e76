import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { REQUEST } from "@hawser/multipath-engine/testing";
import { CloseCode, INITIAL_CREDIT, StreamCode } from "@hawser/shared-protocol";
import { App, listen, open } from "./apps.ts";
import { assertEmpty, assertWithin } from "./memory.ts";
import { line, Network } from "./network.ts";

const PAIR = [line("a", 20, 20, 12), line("b", 20, 20, 15)];

function pair(options = {}): Network {
  const network = new Network(PAIR, options);
  network.run(1_000);
  return network;
}

describe("the life of streams", () => {
  it("half-close: each direction ends by itself", () => {
    const network = pair();
    const peers = listen(network.remote, () => {});
    const app = open(network.local);
    app.write({ bytes: 100_000 });
    network.run(1_000);
    const peer = peers.get(app.stream) as App;
    assert.equal(peer.ended, true);
    assert.equal(app.ended, false);
    network.run(120_000);
    peer.write({ bytes: 300_000 });
    network.run(2_000);
    assert.deepEqual([app.received, app.ended, app.closed, peer.closed], [300_000, true, true, true]);
    assertEmpty(network);
  });

  it("an empty flow, and one whose FIN comes before its OPEN", () => {
    const network = pair();
    listen(network.remote, (peer) => peer.end());
    const app = open(network.local);
    app.end();
    network.run(1_000);
    assert.deepEqual([app.ended, app.closed], [true, true]);
    // The line that has the OPEN stalls; DATA and FIN go over the other.
    const late = open(network.local);
    network.run(1);
    for (const each of network.lines) if ((each.up?.queued ?? 0) > 0) each.up?.stall(400);
    late.write({ bytes: 50_000 });
    network.run(3_000);
    assert.deepEqual([late.ended, late.closed], [true, true]);
    assertEmpty(network);
  });

  for (const when of ["before OPENED", "while data flows", "after its own end"] as const) {
    for (const side of ["local", "remote"] as const)
      it(`reset by the ${side}, ${when}`, () => reset(when, side));
  }

  for (const side of ["local", "remote"] as const)
    it(`a reset by the ${side} behind what it wrote: all of it arrives, then the reset`, () => {
      const network = pair();
      const peers = listen(network.remote, () => {});
      const app = open(network.local);
      network.run(500);
      const peer = peers.get(app.stream) as App;
      const [resetter, other] = side === "local" ? [app, peer] : [peer, app];
      // One line stalls: what comes behind the gap has to wait.
      network.line("a")[side === "local" ? "up" : "down"]?.stall(140);
      resetter.write({ bytes: 50_000 }, false);
      resetter.endpoint.handlers.delete(resetter.stream);
      const isDone = resetter.endpoint.do((session) =>
        session.resetBehind(resetter.stream, StreamCode.reset),
      );
      assert.equal(isDone, false);
      // What the other writes meanwhile is for nobody.
      other.write({ bytes: 1e6 });
      network.run(2_000);
      assert.deepEqual([other.received, other.resetCode], [50_000, StreamCode.reset]);
      assertEmpty(network);
    });

  it("a reset behind what nobody takes waits until it is cut off", () => {
    const network = pair();
    const peers = listen(network.remote, () => {});
    const app = open(network.local);
    network.run(500);
    const peer = peers.get(app.stream) as App;
    peer.stall();
    app.write({ bytes: 1e6 }, false);
    network.run(500);
    assert.equal(
      network.local.do((session) => session.resetBehind(app.stream, StreamCode.reset)),
      false,
    );
    network.run(5_000);
    assert.equal(peer.resetCode, undefined);
    network.local.do((session) => session.reset(app.stream, StreamCode.reset));
    network.run(500);
    // What has come is the reader's.
    assert.equal(peer.resetCode, undefined);
    peer.resume();
    network.run(500);
    assert.equal(peer.resetCode, StreamCode.reset);
    assert.ok(peer.received >= INITIAL_CREDIT && peer.received < 1e6, `${peer.received} bytes`);
    assertEmpty(network);
  });

  it("a reset behind what is read slowly, far more than a window: all of it arrives, then the reset", () => {
    const network = pair();
    const peers = listen(network.remote, (peer) => peer.read({ rate: 500 }));
    const app = open(network.local);
    network.run(500);
    app.write({ bytes: 5e6 }, false);
    network.run(100);
    app.endpoint.handlers.delete(app.stream);
    network.local.do((session) => session.resetBehind(app.stream, StreamCode.reset));
    network.run(12_000);
    const { received, resetCode } = peers.get(app.stream) as App;
    assert.deepEqual([received, resetCode], [app.written, StreamCode.reset]);
    assertEmpty(network);
  });

  it("reset of both sides at once", () => {
    const network = pair();
    const peers = listen(network.remote, (peer) => peer.write({ bytes: 1e9 }));
    const app = open(network.local);
    network.run(500);
    app.reset();
    (peers.get(app.stream) as App).reset();
    assertEmpty(network);
  });

  it("a refused flow says so", () => {
    const network = pair();
    network.remote.onOpen = (stream) =>
      network.remote.do((session) => session.reset(stream, StreamCode.refused));
    const app = open(network.local);
    app.write({ bytes: 1e6 });
    network.run(1_000);
    assert.equal(app.resetCode, StreamCode.refused);
    assertEmpty(network);
  });

  it("a thousand short flows one after the other leave nothing behind", () => {
    const network = pair();
    let open_ = 0;
    let lent = 0;
    let releases = 0;
    const peers = listen(network.remote, (peer) => {
      peer.onEnd = () => peer.write({ bytes: 20_000 });
    });
    const apps: App[] = [];
    for (let n = 0; n < 1_000; n++) {
      const app = open(network.local);
      apps.push(app);
      app.write({ bytes: 300 });
      if (n % 10 === 0) network.run(100);
      open_ = Math.max(open_, network.local.session.streamCount);
    }
    network.run(10_000);
    for (const app of [...apps, ...peers.values()]) {
      assert.equal(app.closed, true);
      lent += app.lent;
      releases += app.releases;
    }
    assert.equal(releases, lent);
    assert.ok(open_ < 1_000);
    assertEmpty(network);
  });

  it("the end of a session ends its streams, and gives everything back", () => {
    const network = pair();
    const peers = listen(network.remote, (peer) => peer.write({ bytes: 1e9 }));
    const app = open(network.local);
    network.run(1_000);
    network.local.do((session) => session.close(CloseCode.shutdown, "test", network.clock.now));
    network.run(1_000);
    const peer = peers.get(app.stream) as App;
    assert.equal(app.resetCode, StreamCode.shutdown);
    assert.equal(peer.resetCode, StreamCode.shutdown);
    assert.equal(network.remote.session.isClosed, true);
    assert.equal(
      network.local.do((session) => session.open(REQUEST, network.clock.now)),
      undefined,
    );
  });
});

function reset(
  when: "before OPENED" | "while data flows" | "after its own end",
  side: "local" | "remote",
): void {
  const network = pair();
  const peers = new Map<number, App>();
  network.remote.onOpen = (stream) => {
    const peer = new App(network.remote, stream);
    peers.set(stream, peer);
    if (when === "before OPENED") return;
    network.remote.do((session) => session.accept(stream, { host: "", port: 0 }));
    peer.write({ bytes: 3e6 });
    peer.handleReadable();
  };
  const app = open(network.local);
  app.write({ bytes: when === "after its own end" ? 1_000 : 3e6 });
  network.runUntil(() => peers.size > 0, 1_000, 1);
  if (when !== "before OPENED") network.run(300);
  const peer = peers.get(app.stream) as App;
  if (when === "after its own end" && side === "remote") network.runUntil(() => peer.ended, 1_000);
  const [resetter, other] = side === "local" ? [app, peer] : [peer, app];
  resetter.reset(StreamCode.timeout);
  network.run(2_000);
  assert.equal(other.resetCode, StreamCode.timeout);
  assertEmpty(network);
}

describe("many streams at once", () => {
  it("a hundred parallel downloads get equal shares", () => {
    const network = pair();
    listen(network.remote, (peer) => peer.write({ bytes: 1e9 }));
    const apps = Array.from({ length: 100 }, () => open(network.local));
    network.run(10_000);
    const before = apps.map((app) => app.received);
    network.run(20_000);
    const shares = apps.map((app, i) => app.received - (before[i] as number));
    const sum = shares.reduce((a, b) => a + b, 0);
    const jain = sum ** 2 / (shares.length * shares.reduce((a, b) => a + b * b, 0));
    assert.ok(jain >= 0.95, `Jain's index ${jain}`);
    assert.ok(sum / (20_000 * 5_000) >= 0.95, `${sum / (20_000 * 5_000)} of the sum`);
  });

  it("a reader that stalls for a minute holds only its own window, and twenty others do not notice", () => {
    const memoryCap = 8 * 1024 * 1024;
    const network = pair({ memoryCap });
    listen(network.remote, (peer) => peer.write({ bytes: 1e9 }));
    const stalled = open(network.local);
    network.run(2_000);
    stalled.stall();
    const others = Array.from({ length: 20 }, () => open(network.local));
    network.run(2_000);
    const before = received(others);
    for (let second = 0; second < 60; second++) {
      network.run(1_000);
      assertWithin(network.local, memoryCap);
      assertWithin(network.remote, memoryCap);
    }
    assert.ok((received(others) - before) / (60_000 * 5_000) >= 0.95, "the others were slowed down");
    const at = stalled.received;
    stalled.resume();
    network.run(2_000);
    assert.ok(stalled.received > at + 200_000, "the stalled flow does not go on");
  });

  it("a slow reader gets what it reads, whatever its window", () => {
    const network = pair();
    listen(network.remote, (peer) => peer.write({ bytes: 1e9 }));
    const app = open(network.local);
    app.read({ rate: 100 });
    network.run(20_000);
    const consumed = app.received - (network.local.session.stream(app.stream)?.window.window ?? 0);
    assert.ok(consumed >= 100 * 19_000 * 0.95, `${consumed} bytes`);
  });

  it("a small request during a download waits little more than the queue", () => {
    const network = pair();
    listen(network.remote, (peer) => peer.write({ bytes: peer.stream === 0 ? 1e9 : 100 }));
    open(network.local);
    network.run(5_000);
    const waits: number[] = [];
    for (let n = 0; n < 100; n++) {
      const startedAt = network.clock.now;
      const app = open(network.local);
      network.runUntil(() => app.firstByteAt !== undefined, 2_000, 1);
      waits.push(network.clock.now - startedAt);
      network.run(100);
    }
    waits.sort((a, b) => a - b);
    assert.ok((waits[50] as number) <= 65 && (waits[98] as number) <= 90, `${waits[50]} and ${waits[98]} ms`);
  });
});

function received(apps: readonly App[]): number {
  return apps.reduce((sum, app) => sum + app.received, 0);
}
