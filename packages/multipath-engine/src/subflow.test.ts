import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Subflow } from "./subflow.ts";

const RTT = 100;
const SIZE = 1_000;

/** A line of 100 ms that has answered each of `count` chunks, sent every 10 ms; ten more are under way. */
function busyLine(count: number): { line: Subflow; now: number } {
  const line = new Subflow({ id: 0, path: "far", role: "active", side: "remote" }, 0);
  let now = 0;
  for (let n = 0; n < count + 10; n++) {
    now = n * 10;
    if (n >= 10) {
      const time = (now - RTT / 2) * 1_000;
      line.handleAck({ type: "ack", received: (n - 9) * SIZE, delay: 0, time }, now, () => {});
    }
    line.recordData(0, n * SIZE, SIZE - 8, SIZE, false, now);
  }
  return { line, now };
}

describe("a line that falls silent", () => {
  it("is late by its oldest frame's own time where the system tells what arrives", () => {
    const { line, now } = busyLine(100);
    const silent = {
      outstanding: 10 * SIZE,
      unsent: 0,
      segment: 1_448,
      hasHole: false,
      minRtt: 0,
      queue: 0,
    };
    line.handleLine(silent, now);
    assert.equal(line.lateness(now + 15), 0);
    assert.ok(line.lateness(now + RTT / 2) > 0, "a whole round trip went by before anybody asked");
  });

  it("is given a round trip where only its acknowledgements tell: a lost segment holds back all of them", () => {
    const { line, now } = busyLine(100);
    assert.equal(line.lateness(now + RTT), 0);
    assert.ok(line.lateness(now + 1.5 * RTT) > 0);
  });

  it("is not late while something arrives behind a hole, until that should be mended", () => {
    const { line, now } = busyLine(100);
    for (let at = now; at < now + RTT; at += 10) {
      const outstanding = 10 * SIZE - (at - now) * 10;
      line.handleLine({ outstanding, unsent: 0, segment: 1_448, hasHole: true, minRtt: 0, queue: 0 }, at);
      assert.equal(line.lateness(at + 9), 0);
    }
    line.handleLine(
      { outstanding: SIZE, unsent: 0, segment: 1_448, hasHole: true, minRtt: 0, queue: 0 },
      now + 1.5 * RTT,
    );
    assert.ok(line.lateness(now + 1.5 * RTT) > 0, "it was lost twice, and nobody asks");
  });
});

describe("what TCP's window does not let out", () => {
  it("fills the line for new data, which would only wait there, and not for copies", () => {
    const { line, now } = busyLine(100);
    const report = { outstanding: 10 * SIZE, segment: 1_448, hasHole: false, minRtt: 0, queue: 0 };
    line.handleLine({ ...report, unsent: 0 }, now);
    const { room, copyRoom } = line;
    assert.ok(room > 0);
    line.handleLine({ ...report, unsent: 60 * line.model.rate + line.chunk }, now);
    assert.ok(line.room < 0, `${line.room} bytes on top of it`);
    assert.equal(line.copyRoom, copyRoom);
  });

  it("bounds nothing while the rate is a guess: the first window goes out at once", () => {
    const line = new Subflow({ id: 0, path: "far", role: "active", side: "remote" }, 0);
    line.recordControl(-1, 0, 1, 0);
    line.handleAck({ type: "ack", received: 1, delay: 0, time: 500_000 }, 1_000, () => {});
    line.handleLine(
      { outstanding: 0, unsent: 0, segment: 1_448, hasHole: false, minRtt: 0, queue: 0 },
      1_000,
    );
    assert.ok(!line.model.measured);
    assert.equal(line.room, line.copyRoom);
  });
});
