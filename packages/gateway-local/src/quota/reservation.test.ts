import assert from "node:assert/strict";
import { test } from "node:test";
import { Reservation } from "./reservation.ts";

test("the stored count is a few seconds of use ahead of the true one, and seldom written", () => {
  for (const rate of [10, 1_000, 125_000]) {
    const reservation = new Reservation(0, 0);
    let written = 0;
    let writes = 0;
    for (let now = 0, used = 0; now < 60_000; now += 100, used += rate * 100) {
      const next = reservation.handleUsed(used, now);
      if (next !== undefined) writes++;
      written = next ?? written;
      assert.ok(written > used && written <= used + 262_145 + 3_100 * rate, `${written} for ${used}`);
    }
    assert.ok(writes <= 30, `${writes} writes in a minute at ${rate} bytes/ms`);
  }
});
