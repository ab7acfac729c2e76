import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "@hawser/shared-protocol/testing";
import { Heaviest } from "./heaviest.ts";

test("the heaviest is the one that a count of all finds, in any order of steps", () => {
  const random = new Random(1);
  const heaviest = new Heaviest();
  const counts = new Map<string, number>();
  for (let step = 0; step < 5_000; step++) {
    const key = `k${random.integer(0, 20)}`;
    const count = counts.get(key) ?? 0;
    if (random.integer(0, 1) === 0) {
      heaviest.add(key);
      counts.set(key, count + 1);
    } else {
      heaviest.remove(key);
      counts.set(key, Math.max(0, count - 1));
    }
    const most = Math.max(0, ...counts.values());
    assert.equal(heaviest.key === undefined ? 0 : heaviest.count(heaviest.key), most);
    assert.equal(counts.get(heaviest.key ?? "") ?? 0, most);
  }
});
