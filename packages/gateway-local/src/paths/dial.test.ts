import assert from "node:assert/strict";
import { Socket } from "node:net";
import { afterEach, beforeEach, mock, test } from "node:test";
import { connectFirst } from "./dial.ts";

/** A socket that connects or fails when the test says. */
class Dialled extends Socket {
  to: unknown;

  override connect(...args: unknown[]): this {
    this.to = args[0];
    return this.once("connect", args[1] as () => void);
  }
}

let made: Dialled[];
const create = (): Socket => {
  const socket = new Dialled();
  made.push(socket);
  return socket;
};
const dial = (signal = new AbortController().signal): Promise<Socket> =>
  connectFirst(create, "192.0.2.1", 4433, signal);

/** Lets `ms` pass on the test's clock, and lets promises settle. */
async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 100) {
    mock.timers.tick(100);
    await Promise.resolve();
    await Promise.resolve();
  }
}

beforeEach(() => {
  made = [];
  mock.timers.enable({ apis: ["setInterval", "setTimeout"] });
});
afterEach(() => mock.timers.reset());

test("an address that answers at once is dialled once", async () => {
  const dialled = dial();
  made[0]?.emit("connect");
  assert.equal(await dialled, made[0]);
  mock.timers.tick(10_000);
  assert.equal(made.length, 1);
  assert.deepEqual(made[0]?.to, { host: "192.0.2.1", port: 4433, autoSelectFamily: false });
});

test("without an answer further SYNs follow, and only the first answered socket is kept", async () => {
  const dialled = dial();
  mock.timers.tick(1_000);
  assert.equal(made.length, 3);
  made[1]?.emit("connect");
  made[2]?.emit("connect");
  assert.equal(await dialled, made[1]);
  assert.deepEqual(
    made.map(({ destroyed }) => destroyed),
    [true, false, true],
  );
  assert.equal(made[1]?.listenerCount("error"), 0);
});

test("a refusal, the deadline or an abort ends all sockets", async () => {
  const refused = dial();
  mock.timers.tick(500);
  made[0]?.destroy(new Error("refused"));
  await assert.rejects(refused, /^Error: refused/);

  const silent = dial();
  mock.timers.tick(3_000);
  await assert.rejects(silent, /no answer from 192.0.2.1 port 4433 within 3000 ms/);

  const attempt = new AbortController();
  const calledOff = dial(attempt.signal);
  attempt.abort();
  await assert.rejects(calledOff, /called off/);

  const count = made.length;
  mock.timers.tick(10_000);
  assert.equal(made.length, count);
  assert.ok(made.every(({ destroyed }) => destroyed));
});

test("the attempt goes on for as long as onSilence says, with more SYNs in the first minute; no socket waits for more than 3 s", async () => {
  let silences = 0;
  const { signal } = new AbortController();
  const dialled = connectFirst(create, "192.0.2.1", 4433, signal, async () => ++silences < 30);
  await pass(3_000);
  assert.equal(silences, 1);
  assert.equal(made.length, 8);
  await pass(3_000);
  assert.equal(made.length, 8 + 15);
  assert.equal(made.filter(({ destroyed }) => !destroyed).length, 15);
  await pass(60_000);
  assert.equal(made.filter(({ destroyed }) => !destroyed).length, 8);
  await pass(24_000);
  await assert.rejects(dialled, /no answer from 192.0.2.1 port 4433 within 3000 ms/);
  assert.equal(silences, 30);
  assert.ok(made.every(({ destroyed }) => destroyed));
});

test("when no socket can be made, its error is the attempt's error", async () => {
  const failing = connectFirst(
    () => {
      throw new Error("no such interface");
    },
    "192.0.2.1",
    4433,
    new AbortController().signal,
  );
  await assert.rejects(failing, /no such interface/);
});

test("when no socket is under way any more, the attempt fails with the error of making one", async () => {
  let calls = 0;
  const once = (): Socket => {
    if (++calls > 1) throw new Error("no more descriptors");
    return create();
  };
  const dialled = connectFirst(once, "192.0.2.1", 4433, new AbortController().signal, () => true);
  await pass(4_000);
  await assert.rejects(dialled, /no more descriptors/);
});

test("when a further socket cannot be made, the earlier ones stay under way", async () => {
  let calls = 0;
  const once = (): Socket => {
    if (++calls > 1) throw new Error("no more descriptors");
    return create();
  };
  const dialled = connectFirst(once, "192.0.2.1", 4433, new AbortController().signal);
  mock.timers.tick(1_000);
  assert.equal(calls, 3);
  made[0]?.emit("connect");
  assert.equal(await dialled, made[0]);
});
