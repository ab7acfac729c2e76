import assert from "node:assert/strict";
import { test } from "node:test";
import { enterPeriod, nextReset, periodAt } from "./period.ts";

test("a period begins on its day at local midnight, or on the last day of a short month", () => {
  const golden: [Date, number, string, Date][] = [
    [new Date(2026, 10, 21, 16, 0), 1, "2026-11-01", new Date(2026, 11, 1)],
    [new Date(2026, 10, 1, 0, 0), 1, "2026-11-01", new Date(2026, 11, 1)],
    [new Date(2026, 9, 31, 23, 59, 59), 1, "2026-10-01", new Date(2026, 10, 1)],
    [new Date(2026, 0, 5), 15, "2025-12-15", new Date(2026, 0, 15)],
    [new Date(2026, 11, 31), 31, "2026-12-31", new Date(2027, 0, 31)],
    [new Date(2026, 1, 27), 31, "2026-01-31", new Date(2026, 1, 28)],
    [new Date(2026, 1, 28), 31, "2026-02-28", new Date(2026, 2, 31)],
    [new Date(2028, 1, 28), 30, "2028-01-30", new Date(2028, 1, 29)],
    [new Date(2026, 2, 30), 31, "2026-02-28", new Date(2026, 2, 31)],
    [new Date(2026, 3, 30), 31, "2026-04-30", new Date(2026, 4, 31)],
  ];
  for (const [now, day, period, next] of golden) {
    assert.equal(periodAt(now, day), period, `${now.toString()}, ${day}`);
    assert.equal(nextReset(period, day).getTime(), next.getTime(), `${now.toString()}, ${day}`);
  }
});

test("every moment lies in its period, whatever the reset day and the changes of summer time", () => {
  for (const day of [1, 15, 28, 29, 30, 31]) {
    for (let hour = 0; hour < 24 * 800; hour += 5) {
      const now = new Date(2026, 0, 1, hour);
      const period = periodAt(now, day);
      assert.ok(
        new Date(`${period}T00:00`) <= now && now < nextReset(period, day),
        `${now.toString()}, ${day}`,
      );
    }
  }
});

test("a new period begins at 0; a clock that is not set, or was ahead, loses no count", () => {
  const november = { period: "2026-11-01", used: 700 };
  assert.equal(enterPeriod(november, "2026-11-01"), november);
  const december = enterPeriod(november, "2026-12-01");
  assert.deepEqual(december, { period: "2026-12-01", used: 0, before: november });
  assert.equal(enterPeriod(november, "1970-01-01"), november);
  const ahead = enterPeriod(november, "2107-01-01");
  assert.deepEqual(enterPeriod({ ...ahead, used: 5 }, "2026-11-01"), { period: "2026-11-01", used: 705 });
});
