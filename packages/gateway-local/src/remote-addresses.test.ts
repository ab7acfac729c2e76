import assert from "node:assert/strict";
import type { LookupAddress } from "node:dns";
import { test } from "node:test";
import { KEPT_MS, PATIENCE_MS, RemoteAddresses } from "./remote-addresses.ts";

const FOUR = { address: "192.0.2.1", family: 4 } as const;
const SIX = { address: "2001:db8::1", family: 6 } as const;

/** A name server whose answers the test gives, and a count of the reports of changed addresses. */
class Names {
  readonly asked: string[] = [];
  readonly told: string[][] = [];
  readonly remote: RemoteAddresses;
  #pending = Promise.withResolvers<LookupAddress[]>();

  constructor() {
    this.remote = new RemoteAddresses(
      () => this.told.push([...this.remote.all]),
      (host) => {
        this.asked.push(host);
        this.#pending = Promise.withResolvers();
        return this.#pending.promise;
      },
    );
  }

  answer(...addresses: LookupAddress[]): void {
    this.#pending.resolve(addresses);
  }

  fail(): void {
    this.#pending.reject(new Error("EAI_AGAIN"));
  }
}

test("a literal needs no name server, and is known at once", async () => {
  const names = new Names();
  const learnt = names.remote.learn([{ host: "2001:0db8::1", port: 4433 }]);
  assert.deepEqual([...names.remote.all], [SIX.address]);
  await learnt;
  assert.deepEqual(await names.remote.find("2001:0db8::1"), [{ address: "2001:0db8::1", family: 6 }]);
  assert.deepEqual(names.asked, []);
});

test("a name is asked for once however many lines wait, and its addresses are reported once", async () => {
  const names = new Names();
  const finds = [names.remote.find("vps.example"), names.remote.find("vps.example")];
  names.answer(SIX, FOUR, FOUR);
  for (const found of await Promise.all(finds)) assert.deepEqual(found, [SIX, FOUR]);
  assert.deepEqual(names.asked, ["vps.example"]);
  assert.deepEqual(names.told, [[SIX.address, FOUR.address]]);

  const again = names.remote.find("vps.example");
  names.answer(FOUR);
  assert.deepEqual(await again, [FOUR]);
  assert.equal(names.told.length, 1, "nothing new");
});

test("a silent name server costs one second once; until it answers the last known addresses count", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const names = new Names();
  const first = names.remote.find("vps.example");
  names.answer(FOUR);
  await first;

  const second = names.remote.find("vps.example");
  t.mock.timers.tick(PATIENCE_MS);
  assert.deepEqual(await second, [FOUR]);
  // The test's clock stands still: the wait is over already.
  assert.deepEqual(await names.remote.find("vps.example"), [FOUR]);
  assert.equal(names.asked.length, 2);

  names.answer(SIX);
  assert.deepEqual(await names.remote.find("vps.example"), [SIX]);
  assert.deepEqual(names.told.at(-1), [FOUR.address, SIX.address]);
});

test("after an error the last known addresses count; without any the error is thrown, and the next find asks again", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const names = new Names();
  const failing = names.remote.find("vps.example");
  names.fail();
  await assert.rejects(failing, /EAI_AGAIN/);

  const silent = names.remote.find("vps.example");
  t.mock.timers.tick(PATIENCE_MS);
  await assert.rejects(silent, /vps\.example has not resolved within 1000 ms/);
  names.answer(FOUR);
  assert.deepEqual(await names.remote.find("vps.example"), [FOUR]);

  const known = names.remote.find("vps.example");
  names.fail();
  assert.deepEqual(await known, [FOUR]);
  assert.equal(names.asked.length, 3);
});

test("an address that its name has left long ago is forgotten, and that is reported", async () => {
  let now = 0;
  let changes = 0;
  let answer = "192.0.2.1";
  const lookup = async (): Promise<LookupAddress[]> => [{ address: answer, family: 4 }];
  const remote = new RemoteAddresses(
    () => changes++,
    lookup,
    () => now,
  );
  await remote.learn([
    { host: "vps.example", port: 4433 },
    { host: "2001:db8::1", port: 4433 },
  ]);
  changes = 0;
  now += 10 * KEPT_MS;
  await remote.find("vps.example");
  assert.deepEqual(
    [[...remote.all].sort(), changes],
    [["192.0.2.1", "2001:db8::1"], 0],
    "what it leads to is good for ever",
  );
  answer = "192.0.2.2";
  await remote.find("vps.example");
  assert.deepEqual([...remote.all].sort(), ["192.0.2.1", "192.0.2.2", "2001:db8::1"]);
  now += KEPT_MS - 1;
  await remote.find("vps.example");
  assert.deepEqual([remote.all.size, changes], [3, 1]);
  now += 1;
  await remote.find("vps.example");
  assert.deepEqual([[...remote.all].sort(), changes], [["192.0.2.2", "2001:db8::1"], 2]);
});
