import assert from "node:assert/strict";
import { Socket } from "node:net";
import { afterEach, beforeEach, mock, test } from "node:test";
import { SharedRace } from "./shared-race.ts";

/** A socket that connects or fails when the test says. */
class Dialled extends Socket {
  override connect(...args: unknown[]): this {
    return this.once("connect", args[1] as () => void);
  }
}

const SUBFLOWS = 16;
/** The most sockets that one attempt has under way in its first minute. */
const OF_ONE = 15;

let made: Dialled[];
let race: SharedRace;
let silences: number;

function dial(signal = new AbortController().signal): Promise<Socket> {
  const create = (): Socket => {
    const socket = new Dialled();
    made.push(socket);
    return socket;
  };
  return race.connect(create, "192.0.2.1", 4433, signal, () => ++silences > 0);
}

const open = (): Dialled[] => made.filter(({ destroyed }) => !destroyed);

/** Lets `ms` pass on the test's clock, and lets promises settle. */
async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 100) {
    mock.timers.tick(100);
    for (let n = 0; n < 20; n++) await Promise.resolve();
  }
}

beforeEach(() => {
  made = [];
  race = new SharedRace();
  silences = 0;
  mock.timers.enable({ apis: ["setInterval", "setTimeout"] });
});
afterEach(() => mock.timers.reset());

test("16 subflows of a dead path have no more sockets under way than one, and each its own when it is back", async () => {
  const dialled = Promise.all(Array.from({ length: SUBFLOWS }, () => dial()));
  await pass(30_000);
  assert.ok(open().length <= OF_ONE, `${open().length} sockets`);
  assert.equal(silences, 10 * SUBFLOWS);
  open()[0]?.emit("connect");
  await pass(100);
  assert.equal(open().length, SUBFLOWS);
  for (const socket of open().slice(1)) socket.emit("connect");
  assert.equal(new Set(await dialled).size, SUBFLOWS);
});

test("when the leading subflow's attempt is aborted, another subflow leads", async () => {
  const first = new AbortController();
  const leading = dial(first.signal);
  const waiting = dial();
  await pass(1_000);
  const before = made.length;
  first.abort();
  await assert.rejects(leading);
  await pass(100);
  assert.equal(made.length, before + 1);
  open()[0]?.emit("connect");
  assert.equal(await waiting, made.at(-1));
});

test("a waiting subflow can be aborted at once, and a refusal fails all of them", async () => {
  const second = new AbortController();
  const leading = dial();
  const [calledOff, refused] = [dial(second.signal), dial()];
  second.abort();
  await assert.rejects(calledOff);
  made[0]?.destroy(new Error("refused"));
  await assert.rejects(leading, /refused/);
  await assert.rejects(refused, /refused/);
  assert.equal(made.length, 1);
});
