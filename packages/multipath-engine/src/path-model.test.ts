import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Random } from "@hawser/shared-protocol/testing";
import type { SentFrame } from "./ledger.ts";
import { HOST_RTT, INITIAL_CAP, MAX_CAP, MAX_CHUNK, MIN_CAP, RECORD_BYTES, SEGMENT } from "./parameters.ts";
import { PathModel } from "./path-model.ts";

const RTT = 40;

/** Sends chunks over an ideal line, as much as the cap allows; clocks `skew` apart. */
class IdealLine {
  readonly model = new PathModel();
  readonly rate: number;
  readonly skew: number;
  now = 1_000;
  #freeAt = 0;
  #sent = 0;
  #acked = 0;
  #underWay: (SentFrame & { arrivedAt: number })[] = [];

  constructor(rate: number, skew = 0) {
    this.rate = rate;
    this.skew = skew;
    // The PING of a new subflow.
    this.model.handleAppLimited(0, this.now);
    this.#send(1, 1);
    this.now += RTT;
  }

  get unacked(): number {
    return this.#sent - this.#acked;
  }

  run(ms: number): void {
    for (const end = this.now + ms; this.now < end; this.now += 0.5) {
      this.#acknowledge();
      for (let burst = 0; this.unacked + this.model.chunk <= this.model.cap; ) {
        burst += this.model.chunk;
        this.#send(this.model.chunk, burst);
      }
    }
  }

  #send(size: number, burst: number): void {
    const state = this.model.handleSent(this.unacked, this.now);
    this.#freeAt = Math.max(this.#freeAt, this.now) + size / this.rate;
    this.#sent += size;
    const known = {
      size,
      burst,
      end: this.#sent,
      sentAt: this.now,
      offset: 0,
      length: size,
      copy: undefined,
    };
    const arrivedAt = this.#freeAt + RTT / 2;
    this.#underWay.push({ ...state, ...known, stream: 0, control: 0, arrivedAt });
  }

  #acknowledge(): void {
    let newest: (SentFrame & { arrivedAt: number }) | undefined;
    let bytes = 0;
    for (
      let head = this.#underWay[0];
      head && head.arrivedAt + RTT / 2 <= this.now;
      head = this.#underWay[0]
    ) {
      newest = this.#underWay.shift();
      bytes += head.size;
    }
    if (!newest) return;
    this.#acked += bytes;
    const delay = Math.max(0, this.now - RTT / 2 - newest.arrivedAt);
    const time = newest.arrivedAt + this.skew;
    this.model.handleAck({ bytes, newest, last: newest, burst: newest.burst, time, delay }, this.now);
  }
}

/** One byte on the idle line, `late` ms later at the peer than at best. */
function ping({ model, now }: { model: PathModel; now: number }, late: number, rtt = RTT): void {
  const state = model.handleSent(0, now);
  const frame = { ...state, end: 1, size: 1, sentAt: now, stream: -1, offset: 0, length: 0, burst: 1 };
  const last: SentFrame = { ...frame, control: 0, copy: undefined };
  const arrival = { bytes: 1, newest: last, last, burst: 1, time: now + rtt / 2 + late, delay: 0 };
  model.handleAck(arrival, now + rtt + late);
}

describe("PathModel", () => {
  it("knows nothing at first, and offers an initial window", () => {
    const model = new PathModel();
    assert.deepEqual([model.measured, model.minRtt, model.srtt, model.cap], [false, 0, 0, INITIAL_CAP]);
    assert.ok(model.rate > 0 && model.chunk >= SEGMENT);
  });

  it("offers no more than the path carried before", () => {
    const model = new PathModel(100);
    assert.equal(model.rate, 100);
    assert.ok(model.cap <= 100 * HOST_RTT + model.chunk && model.cap >= SEGMENT, `${model.cap}`);
    assert.equal(new PathModel(1e9).cap, INITIAL_CAP);
  });

  for (const [name, rate] of [
    ["thin", 100],
    ["usual", 2_500],
    ["fast", 125_000],
  ] as const) {
    it(`finds rate and round trip of a ${name} line, whatever the clocks say`, () => {
      for (const skew of [0, 123_456_789, -900]) {
        const line = new IdealLine(rate, skew);
        line.run(20_000);
        const { model } = line;
        assert.ok(Math.abs(model.rate / rate - 1) < 0.05, `${model.rate} instead of ${rate}`);
        assert.ok(Math.abs(model.minRtt - RTT) < 2 + SEGMENT / rate, `${model.minRtt} instead of ${RTT}`);
        // A reserve of a twentieth of the round trip and 2 ms, two chunks, and what a late ACK holds back.
        const queue = model.cap / rate - RTT;
        const most = RTT / 20 + 2 + (2 * model.chunk) / rate + model.ackDelay;
        assert.ok(queue > 0 && queue < most + 1, `a queue of ${queue} ms`);
      }
    });
  }

  it("forgets nothing while the application sends little, nor when that comes late", () => {
    for (const late of [0, 150]) {
      const line = new IdealLine(2_500);
      line.run(6_500);
      const { rate, cap } = line.model;
      for (let n = 0; n < 100; n++) {
        line.now += 1_000;
        line.model.handleAppLimited(0, line.now);
        ping(line, late);
      }
      assert.equal(line.model.rate, rate, `${late} ms late`);
      if (late === 0) assert.ok(Math.abs(line.model.cap / cap - 1) < 0.1);
    }
  });

  it("takes the system's round trip until it has its own, of something that did not wait for a lost segment", () => {
    const model = new PathModel();
    const report = { outstanding: 0, unsent: 0, segment: SEGMENT, hasHole: false, minRtt: 600, queue: 0 };
    model.handleLine(report, undefined, 0);
    assert.deepEqual([model.minRtt, model.srtt, model.rttvar], [600, 600, 300]);
    model.handleLine({ ...report, hasHole: true }, undefined, 0);
    ping({ model, now: 0 }, 600, 600);
    assert.deepEqual([model.minRtt, model.srtt], [600, 600]);
    ping({ model, now: 1_200 }, 0, 620);
    assert.deepEqual([model.minRtt, model.srtt], [620, 620]);
  });

  it("makes no rate of what came while a first PING was lost", () => {
    const model = new PathModel();
    const report = { outstanding: 0, unsent: 0, segment: SEGMENT, hasHole: true, minRtt: 0, queue: 0 };
    model.handleLine(report, { rate: 0.05, since: 0 }, 20);
    assert.ok(!model.measured);
  });

  it("stays within its bounds, whatever a peer acknowledges", () => {
    for (let seed = 1; seed <= 30; seed++) {
      const random = new Random(seed);
      const model = new PathModel();
      let now = 0;
      for (let step = 0; step < 500; step++) {
        now += random.between(0, 100);
        const sentAt = now;
        const state = model.handleSent(random.integer(0, 1) * 1_000, now);
        const size = random.integer(1, 65_536);
        const frame = {
          ...state,
          end: 0,
          size,
          sentAt,
          stream: 0,
          control: 0 as const,
          offset: 0,
          length: size,
        };
        const last = { ...frame, burst: size, copy: undefined };
        now += random.between(0, 500);
        if (random.chance(0.3)) model.handleAppLimited(0, now);
        const delay = random.chance(0.2) ? random.between(0, 1e9) : random.between(0, 10);
        const time = random.chance(0.2) ? random.between(0, 9e12) : now;
        model.handleAck({ bytes: size, newest: last, last, burst: size, time, delay }, now);
        const { cap, chunk, rate, srtt, minRtt, ackDelay } = model;
        for (const value of [cap, chunk, rate, srtt, minRtt, ackDelay]) {
          assert.ok(Number.isFinite(value) && value > 0, `seed ${seed}, step ${step}: ${value}`);
        }
        assert.ok(chunk >= SEGMENT - RECORD_BYTES && chunk <= MAX_CHUNK);
        assert.ok(
          cap >= Math.min(MIN_CAP, chunk) && cap <= 2 * MAX_CAP,
          `seed ${seed}, step ${step}: cap ${cap}`,
        );
      }
    }
  });
});
