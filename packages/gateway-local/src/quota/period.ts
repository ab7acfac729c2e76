/**
 * The months of a quota, in local time. A period begins at midnight of its reset day, or of the month's last day in a month
 * without such a day. Its name is the date on which it begins, `YYYY-MM-DD`, so names sort by time.
 */

import { formatDay } from "@hawser/status-api/model";

/** The period that `now` is in. */
export function periodAt(now: Date, resetDay: number): string {
  const month = now.getDate() >= beginsOn(now.getFullYear(), now.getMonth(), resetDay) ? 0 : -1;
  return formatDay(beginning(now.getFullYear(), now.getMonth() + month, resetDay));
}

/** The time at which the next period begins. */
export function nextReset(period: string, resetDay: number): Date {
  const [year, month] = period.split("-").map(Number) as [number, number];
  return beginning(year, month, resetDay);
}

/** `month` counts from 0. Below 0 and above 11 it is a month of another year. */
function beginning(year: number, month: number, resetDay: number): Date {
  return new Date(year, month, beginsOn(year, month, resetDay));
}

function beginsOn(year: number, month: number, resetDay: number): number {
  const lastDay = new Date(year, month + 1, 0).getDate();
  return Math.min(resetDay, lastDay);
}

/** The bytes counted in a period, and in the period before it. */
export interface PeriodCount {
  readonly period: string;
  readonly used: number;
  readonly before?: { readonly period: string; readonly used: number } | undefined;
}

/**
 * The count when the clock says that it is `period`. A later period than the count's begins at 0. An earlier period means
 * that the clock is or was wrong. Either the clock is not set yet, and the count goes on; or it was ahead when the later
 * period began, and that beginning is undone. So no wrong clock makes a quota forget what was used, or stay used for years.
 */
export function enterPeriod(count: PeriodCount, period: string): PeriodCount {
  const { before } = count;
  if (period > count.period) return { period, used: 0, before: { period: count.period, used: count.used } };
  if (period === before?.period) return { period, used: before.used + count.used };
  return count;
}
