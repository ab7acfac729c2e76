import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { describe, test } from "node:test";
import { getCongestion, setCongestion } from "@hawser/linux-sockets";
import { CongestionPolicy, kernelCongestion, type WindowInfo } from "./congestion-policy.ts";

const MSS = 1_000;
const BBR = "bbr";
const OTHERS = "cubic or reno";

/** A line and a kernel, with time as a number. Each turn of 250 ms sends what `segments` says. */
class Rig {
  readonly used: string[] = [];
  looks = 0;
  now = 0;
  isGone = false;
  readonly model = { measured: false, isStarting: true, cap: 20 * MSS, minRtt: 100 };
  readonly ledger = { sent: 0 };
  unackedBytes = 0;
  readonly kernel = { sndMss: MSS, cwnd: 40, notsentBytes: 0, bytesSent: 0, totalRetrans: 0 };
  readonly policy = new CongestionPolicy(
    {
      info: () => {
        this.looks++;
        return this.isGone ? undefined : ({ ...this.kernel } satisfies WindowInfo);
      },
      use: (names) => void this.used.push(names.join(" or ")),
    },
    this,
    0,
  );

  /** So many seconds in turns of 250 ms, in each of which so many segments are sent. */
  run(seconds: number, segments = 10): this {
    for (let n = 0; n < seconds * 4; n++) {
      this.now += 250;
      this.ledger.sent += segments * MSS;
      this.kernel.bytesSent += segments * MSS;
      this.policy.handleTurn(this.now);
    }
    return this;
  }

  /** Past the startup, with nothing told of it. */
  clean(): this {
    Object.assign(this.model, { measured: true, isStarting: false });
    this.run(0.25);
    this.used.length = 0;
    return this;
  }

  /** Where losses have made the window too small. */
  lossy(): this {
    this.clean();
    Object.assign(this.kernel, { cwnd: 10, notsentBytes: 1 });
    this.run(0.75);
    assert.deepEqual(this.used, [BBR]);
    Object.assign(this.kernel, { cwnd: 40, notsentBytes: 0 });
    this.used.length = 0;
    return this;
  }

  /** A span of ten seconds in which so many of 10 000 segments were sent again. */
  span(lost: number, perTurn = 250): this {
    this.kernel.totalRetrans += lost;
    return this.run(10, perTurn);
  }
}

describe("congestion control", () => {
  test("a line begins with BBR, and goes on without when the engine has measured it", () => {
    const rig = new Rig().run(2);
    assert.deepEqual(rig.used, [BBR]);
    rig.model.measured = true;
    assert.deepEqual(rig.run(2).used, [BBR], "the engine still looks for the line's rate");
    rig.model.isStarting = false;
    assert.deepEqual(rig.run(20).used, [BBR, OTHERS], "once");
  });

  test("the kernel is asked four times a second, and not on a line on which nothing happens", () => {
    const rig = new Rig();
    for (let ms = 0; ms < 1_000; ms += 5) {
      rig.ledger.sent++;
      rig.policy.handleTurn(ms);
    }
    assert.equal(rig.looks, 3);
    rig.now = 1_000;
    rig.run(0.25, 1).run(10, 0);
    assert.equal(rig.looks, 4, "nothing was sent, all is acknowledged");
    rig.unackedBytes = 1;
    rig.run(1, 0);
    assert.equal(rig.looks, 8, "something is under way");
  });

  test("BBR is started anew every eight seconds, before it stops the line", () => {
    const rig = new Rig().run(7.75);
    assert.deepEqual(rig.used, [BBR]);
    rig.run(17.25);
    const renewal = [OTHERS, BBR];
    assert.deepEqual(rig.used, [BBR, ...renewal, ...renewal, ...renewal]);
    assert.deepEqual(new Rig().clean().run(60).used, [], "not where it is not in use");
    const lossy = new Rig().lossy().run(8);
    assert.deepEqual(lossy.used, renewal, "also where it took over, and counted from then");
  });

  test("it takes over when the window was too small at three looks more than it was not", () => {
    const rig = new Rig().clean();
    const look = (isTooSmall: boolean): number => {
      rig.kernel.cwnd = isTooSmall ? 17 : 18;
      return rig.run(0.25).used.length;
    };
    rig.kernel.notsentBytes = 1;
    assert.deepEqual([true, true, false, true].map(look), [0, 0, 0, 0]);
    assert.equal(look(true), 1, "0.85 of the cap, for the third time on balance");
    assert.deepEqual(rig.used, [BBR]);
  });

  test("a window that holds nothing back is large enough, and so is one of nine tenths of the cap", () => {
    const rig = new Rig().clean();
    rig.kernel.cwnd = 1;
    assert.deepEqual(rig.run(10).used, []);
    Object.assign(rig.kernel, { cwnd: 18, notsentBytes: 1 });
    assert.deepEqual(rig.run(10).used, []);
  });

  test("looks and spans from before the last time do not count at the next", () => {
    const rig = new Rig().lossy().span(0).span(0).span(0);
    assert.equal(rig.used.at(-1), OTHERS);
    rig.used.length = 0;
    Object.assign(rig.kernel, { cwnd: 10, notsentBytes: 1 });
    assert.deepEqual(rig.run(0.5).used, []);
    assert.deepEqual(rig.run(0.25).used, [BBR]);
    assert.deepEqual(rig.span(0).span(0).used.at(-1), BBR);
    assert.equal(rig.span(0).used.at(-1), OTHERS);
  });

  test("it ends after three calm spans in a row", () => {
    const isOver = (rig: Rig): boolean => rig.used.at(-1) === OTHERS;
    const rig = new Rig().lossy();
    assert.deepEqual([isOver(rig.span(0)), isOver(rig.span(0)), isOver(rig.span(0))], [false, false, true]);
    const broken = new Rig().lossy().span(0).span(0).span(500);
    assert.deepEqual(
      [isOver(broken.span(0)), isOver(broken.span(0)), isOver(broken.span(0))],
      [false, false, true],
    );
  });

  test("a span with less than two caps of traffic neither counts nor breaks the row", () => {
    const rig = new Rig().lossy().span(0).span(0).span(30, 0.9);
    assert.notEqual(rig.used.at(-1), OTHERS);
    assert.equal(rig.span(0).used.at(-1), OTHERS);
  });

  test("spans begin when BBR takes over: what was before it is not judged", () => {
    // For minutes the line was clean. All that is lost is lost now.
    const rig = new Rig().clean().run(120, 250);
    Object.assign(rig.kernel, { cwnd: 10, notsentBytes: 1 });
    rig.run(0.75);
    assert.deepEqual(rig.used, [BBR]);
    rig.span(0).span(0);
    assert.notEqual(rig.used.at(-1), OTHERS);
    assert.equal(rig.span(0).used.at(-1), OTHERS);
  });

  test("calm is what leaves cubic twice the cap by the formulas of RFC 9438", () => {
    // Of 10 000 segments 9 leave 1.22 / sqrt(9e-4) = 40.7 segments, and 10 leave 38.6. The cap is 20 segments.
    const after = (lost: number, minRtt = 100): string | undefined => {
      const rig = new Rig().lossy();
      rig.model.minRtt = minRtt;
      return rig.span(lost).span(lost).span(lost).used.at(-1);
    };
    assert.equal(after(9), OTHERS);
    assert.equal(after(10), BBR);
    // On a long line cubic's own growth counts: 1.054 * (1 s / 7.8e-3) ^ 0.75 = 40.2, against 39.8 for 7.9e-3.
    assert.equal(after(78, 1_000), OTHERS);
    assert.equal(after(80, 1_000), BBR);
  });

  test("a connection that is gone, or that the kernel tells nothing of, changes nothing", () => {
    const rig = new Rig();
    Object.assign(rig.model, { measured: true, isStarting: false });
    rig.isGone = true;
    assert.deepEqual(rig.run(20).used, [BBR]);
    rig.isGone = false;
    rig.kernel.sndMss = 0;
    assert.deepEqual(rig.run(20).used, [BBR]);
  });
});

test("the kernel uses the first algorithm that it has", {
  skip: process.platform !== "linux" && "needs Linux",
}, async (t) => {
  const server = createServer((socket) => socket.resume()).listen(0, "127.0.0.1");
  await once(server, "listening");
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  t.after(() => server.close() && socket.destroy());
  await once(socket, "connect");
  const allowed = readFileSync("/proc/sys/net/ipv4/tcp_allowed_congestion_control", "latin1")
    .trim()
    .split(" ");
  assert.ok(allowed.includes("reno"));
  const kernel = kernelCongestion(socket);
  assert.ok((kernel.info()?.sndMss ?? 0) > 0);
  kernel.use(["nosuch", "reno"]);
  assert.equal(getCongestion(socket), "reno");
  for (const name of allowed) {
    setCongestion(socket, name);
    kernel.use(["nosuch"]);
    assert.equal(getCongestion(socket), name, "none serves: the algorithm stays");
  }
  socket.destroy();
  kernel.use(["reno"]);
  assert.equal(kernel.info(), undefined);
});
