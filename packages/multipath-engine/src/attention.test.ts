import assert from "node:assert/strict";
import { describe, it, mock } from "node:test";
import { MemoryBudget } from "./memory-budget.ts";
import { HEARTBEAT, METERED_HEARTBEAT } from "./parameters.ts";
import { Session } from "./session.ts";
import { Subflow } from "./subflow.ts";
import { OPEN } from "./testing/harness.ts";
import { encode } from "./testing/victim.ts";

const START = 1_000;
const RTT = 20;
const METERED = { tier: 1, rate: 0, metered: true, rationed: false };
/** What the system says of a line on which all has arrived. */
const SETTLED = { outstanding: 0, unsent: 0, segment: 1_448, hasHole: false, minRtt: RTT, queue: 0 };
/** Every method and getter of a subflow through which a turn looks at it. */
const LOOKS = ["handleLine", "handleTime", "nextTimeout", "arrival", "lateness"] as const;

/** A session of so many subflows that have all been answered, and of which nothing is under way. */
class Idle {
  readonly session = new Session({ side: "remote", memory: new MemoryBudget(1e8) }, START);
  now = START;

  constructor(count: number) {
    for (let id = 0; id < count; id++)
      this.session.addSubflow({ id, path: `p${id}`, role: "active", policy: METERED }, START);
    this.turn();
    // For longer than the probation, behind which metered lines are pinged rarely.
    for (let n = 0; n < 30; n++) {
      this.now += 100;
      for (const { id, ledger } of this.session.subflows) this.acknowledge(id, ledger.sent);
      this.turn();
    }
    this.now += RTT;
  }

  acknowledge(id: number, received: number): void {
    this.session.handleBytes(id, encode([{ type: "ack", received, delay: 0, time: 0 }]), this.now);
  }

  /** As the driver does it. Returns how many subflows were asked about, and polled. */
  turn(): { looked: number; polled: number } {
    const { session, now } = this;
    let [looked, polled] = [0, 0];
    for (const id of session.pollLook(now)) {
      looked++;
      session.handleLine(id, SETTLED, now);
    }
    session.handleTimeout(now);
    while (session.pollEvent());
    const turn = session.startTurn(now);
    for (const id of turn.order) {
      polled++;
      while (session.pollTransmit(id, turn));
    }
    session.pollTimeout();
    return { looked, polled };
  }
}

/** Calls of a subflow's methods that `action` makes. */
function looksOf(action: () => void): number {
  const methods = LOOKS.map((name) => mock.method(Subflow.prototype, name));
  const rooms = (["room", "copyRoom", "chunk", "isSpent", "tier"] as const).map((name) =>
    mock.method(Subflow.prototype, name as never, { getter: true }),
  );
  action();
  const all = [...methods, ...rooms];
  const calls = all.reduce((sum, each) => sum + each.mock.callCount(), 0);
  for (const each of all) each.mock.restore();
  return calls;
}

describe("a turn's work", () => {
  it("is for the one subflow that something came on, however many there are", () => {
    const looks = [1, 16, 256].map((count) => {
      const idle = new Idle(count);
      const { session, now } = idle;
      assert.deepEqual(idle.turn(), { looked: 0, polled: 0 });
      return looksOf(() => {
        session.handleBytes(0, encode([{ type: "ping" }]), now);
        assert.deepEqual(idle.turn(), { looked: 1, polled: 1 });
      });
    });
    assert.ok((looks[0] as number) > 0);
    assert.deepEqual(new Set(looks).size, 1, `${looks.join(", ")} looks`);
  });

  it("is nothing where nothing is due, with 256 idle subflows, too", () => {
    const idle = new Idle(256);
    idle.turn();
    assert.equal(
      looksOf(() => idle.turn()),
      0,
    );
  });

  it("with data for 64 lines grows with their number, not with its square", () => {
    const looks = [16, 64].map((count) => {
      const idle = new Idle(count);
      const { session } = idle;
      session.handleBytes(0, encode([OPEN]), idle.now);
      idle.turn();
      session.accept(0, { host: "", port: 0 });
      session.write(0, Buffer.alloc(60_000));
      return looksOf(() => idle.turn()) / count;
    }) as [number, number];
    const [few, many] = looks;
    assert.ok(many < 1.5 * few, `${few} looks a line of 16, ${many} of 64`);
  });

  it("comes when a line's time has come, though it slept", () => {
    const idle = new Idle(4);
    idle.turn();
    const next = idle.session.pollTimeout();
    assert.ok(next > idle.now && next <= idle.now + METERED_HEARTBEAT.remote);
    idle.now = next;
    assert.ok(idle.turn().polled > 0);
    assert.ok(idle.session.pollTimeout() > next);
  });
});

/** Plays a minute in which the lines answer each PING after their round trip. Counts the timers that wake it, and the PINGs. */
function playIdle(side: "local" | "remote", roundTrips: readonly number[]) {
  const session = new Session({ side, memory: new MemoryBudget(1e8) }, START);
  for (const id of roundTrips.keys()) session.addSubflow({ id, path: `p${id}`, role: "active" }, START);
  const subflows = [...session.subflows];
  const answersAt: number[] = roundTrips.map(() => Number.POSITIVE_INFINITY);
  const count = { timers: 0, pings: 0 };
  let now = START;
  const turn = (): number => {
    for (const id of session.pollLook(now)) session.handleLine(id, SETTLED, now);
    session.handleTimeout(now);
    while (session.pollEvent());
    const turn = session.startTurn(now);
    for (const id of turn.order) while (session.pollTransmit(id, turn));
    for (const [id, { unackedBytes }] of subflows.entries()) {
      if (unackedBytes === 0 || (answersAt[id] as number) < Number.POSITIVE_INFINITY) continue;
      count.pings++;
      answersAt[id] = now + (roundTrips[id] as number);
    }
    return session.pollTimeout();
  };
  for (let timer = turn(); now < START + 60_000; timer = turn()) {
    const answer = Math.min(...answersAt);
    now = Math.min(timer, answer);
    if (timer < answer) count.timers++;
    for (const [id, at] of answersAt.entries()) {
      if (at !== now) continue;
      const received = (subflows[id] as Subflow).ledger.sent;
      session.handleBytes(id, encode([{ type: "ack", received, delay: 0, time: 0 }]), now);
      answersAt[id] = Number.POSITIVE_INFINITY;
    }
  }
  return count;
}

describe("idle lines", () => {
  for (const side of ["local", "remote"] as const)
    it(`of the ${side} gateway share the wake-ups for their PINGs`, () => {
      const { timers, pings } = playIdle(side, [10, 30, 70, 150]);
      const usual = 60_000 / HEARTBEAT[side];
      assert.ok(pings >= 4 * 0.8 * usual && pings <= 4 * 1.1 * usual, `${pings} PINGs in a minute`);
      assert.ok(timers <= 1.1 * usual, `${timers} wake-ups for them`);
    });
});
