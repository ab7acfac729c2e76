import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "@hawser/shared-protocol/testing";
import { DueTimes } from "./due-times.ts";

test("items come in the order of their times, whatever was set, moved and taken away before", () => {
  const random = new Random(1);
  const due = new DueTimes<number>();
  const twin = new Map<number, number>();
  for (let step = 0; step < 5_000; step++) {
    const item = Math.floor(random.between(0, 40));
    const at = random.next() < 0.2 ? Number.POSITIVE_INFINITY : Math.floor(random.between(0, 1_000));
    due.set(item, at);
    if (at === Number.POSITIVE_INFINITY) twin.delete(item);
    else twin.set(item, at);
    assert.equal(due.next, Math.min(...twin.values()));
    if (random.next() > 0.1) continue;
    const now = Math.floor(random.between(0, 1_000));
    for (let taken = due.take(now); taken !== undefined; taken = due.take(now)) {
      assert.equal(twin.get(taken), Math.min(...twin.values()));
      twin.delete(taken);
    }
    assert.ok([...twin.values()].every((left) => left > now));
  }
});
