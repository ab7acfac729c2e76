import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { HoldUpAccount } from "./hold-up.ts";
import { HOLD_UP_CREDIT, REST, REST_FORGIVEN, REST_MAX } from "./parameters.ts";

const RATE = 100;

function assertRests(account: HoldUpAccount, now: number, ms: number): void {
  account.handleTime(now + ms - 1);
  assert.ok(account.isResting, `${ms} ms are not over`);
  account.handleTime(now + ms);
  assert.ok(!account.isResting, `${ms} ms are over`);
}

describe("HoldUpAccount", () => {
  it("affords what the line carries in a few seconds, less what it has held up, and what it carries earns more", () => {
    const account = new HoldUpAccount();
    const all = HOLD_UP_CREDIT * RATE;
    assert.ok(account.affords(all, RATE) && !account.affords(all + 1, RATE));
    account.charge(0.75 * all, RATE);
    assert.ok(account.affords(0.25 * all, RATE) && !account.affords(0.26 * all, RATE));
    account.handleCarried(0.5 * all);
    assert.ok(account.affords(0.75 * all, RATE) && !account.affords(0.76 * all, RATE));
    account.handleCarried(100 * all);
    assert.ok(!account.affords(all + 1, RATE), "nothing is saved up");
    account.charge(2 * all, RATE);
    assert.ok(account.affords(0, RATE) && !account.affords(1, RATE), "nor owed");
  });

  it("rests for longer each time, up to a bound, and as at first after long use", () => {
    const account = new HoldUpAccount();
    let now = 1_000;
    for (const ms of [REST, 2 * REST, 4 * REST, REST_MAX, REST_MAX]) {
      account.rest(now);
      assertRests(account, now, ms);
      now += ms;
    }
    now += REST_FORGIVEN + 1;
    account.rest(now);
    assertRests(account, now, REST);
  });
});
