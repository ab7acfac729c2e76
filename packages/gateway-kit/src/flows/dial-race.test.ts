import assert from "node:assert/strict";
import { Socket } from "node:net";
import { afterEach, beforeEach, mock, test } from "node:test";
import { DialRace } from "./dial-race.ts";

let made: { readonly address: string; readonly socket: Socket }[];
let won: Socket | undefined;
let failed: Error | undefined;

function dial(...addresses: readonly string[]): DialRace {
  const create = (address: string): Socket => {
    const socket = new Socket();
    made.push({ address, socket });
    return socket;
  };
  const all = addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
  return new DialRace(all, create, {
    onConnected: (socket) => (won = socket),
    onFailed: (error) => (failed = error),
  });
}

const dialled = (): string[] => made.map(({ address }) => address);
const socketOf = (n: number): Socket => made[n]?.socket as Socket;

beforeEach(() => {
  made = [];
  won = undefined;
  failed = undefined;
  mock.timers.enable({ apis: ["setTimeout"] });
});
afterEach(() => mock.timers.reset());

test("an address that answers late is taken, though another was tried meanwhile", () => {
  dial("2001:db8::1", "192.0.2.1");
  assert.deepEqual(dialled(), ["2001:db8::1"]);
  mock.timers.tick(250);
  assert.deepEqual(dialled(), ["2001:db8::1", "192.0.2.1"]);
  mock.timers.tick(1_000);
  assert.ok(!socketOf(0).destroyed, "the first attempt goes on");
  socketOf(0).emit("connect");
  assert.equal(won, socketOf(0));
  assert.ok(socketOf(1).destroyed && !socketOf(0).destroyed);
  assert.equal(won.listenerCount("error"), 0);
});

test("who answers at once is the only one dialled", () => {
  dial("192.0.2.1", "192.0.2.2");
  socketOf(0).emit("connect");
  mock.timers.tick(10_000);
  assert.deepEqual(dialled(), ["192.0.2.1"]);
});

test("families take turns, and a refusal begins the next attempt at once", () => {
  dial("2001:db8::1", "2001:db8::2", "192.0.2.1", "192.0.2.2");
  for (let n = 0; n < 3; n++) socketOf(n).emit("error", new Error(`no ${n}`));
  assert.deepEqual(dialled(), ["2001:db8::1", "192.0.2.1", "2001:db8::2", "192.0.2.2"]);
  assert.equal(failed, undefined);
  socketOf(3).emit("error", new Error("no 3"));
  assert.deepEqual((failed as AggregateError | undefined)?.errors.map(String), [
    "Error: no 0",
    "Error: no 1",
    "Error: no 2",
    "Error: no 3",
  ]);
});

test("a race that is called off leaves no socket, and tells nothing", () => {
  const race = dial("192.0.2.1", "192.0.2.2", "192.0.2.3");
  mock.timers.tick(250);
  race.cancel();
  mock.timers.tick(10_000);
  assert.ok(made.length === 2 && made.every(({ socket }) => socket.destroyed));
  assert.deepEqual([won, failed], [undefined, undefined]);
});
