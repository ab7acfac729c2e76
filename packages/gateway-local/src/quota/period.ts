/**
 * Months of a quota, in local time: a period begins at midnight of its reset day, or of the month's last day where there
 * is no such day. It is named by the date of its beginning, `YYYY-MM-DD`; later periods have greater names.
 */

import { formatDay } from "@hawser/status-api/model";

/** The period to which `now` belongs. */
export function periodAt(now: Date, resetDay: number): string {
  const month = now.getDate() >= beginsOn(now.getFullYear(), now.getMonth(), resetDay) ? 0 : -1;
  return formatDay(beginning(now.getFullYear(), now.getMonth() + month, resetDay));
}

/** When the period after this one begins. */
export function nextReset(period: string, resetDay: number): Date {
  const [year, month] = period.split("-").map(Number) as [number, number];
  return beginning(year, month, resetDay);
}

/** `month` counts from 0 and may lie outside of the year. */
function beginning(year: number, month: number, resetDay: number): Date {
  return new Date(year, month, beginsOn(year, month, resetDay));
}

function beginsOn(year: number, month: number, resetDay: number): number {
  const lastDay = new Date(year, month + 1, 0).getDate();
  return Math.min(resetDay, lastDay);
}

/** What was counted in a period, bytes, and in the one before it. */
export interface PeriodCount {
  readonly period: string;
  readonly used: number;
  readonly before?: { readonly period: string; readonly used: number } | undefined;
}

/**
 * The count when the clock says that it is `period`. A later one begins with nothing. An earlier one says that a clock
 * is wrong: either ours is not set yet, and the count goes on; or it was ahead when the later period began, which
 * is undone. So no clock makes a quota forget what was used, or wait for years.
 */
export function enterPeriod(count: PeriodCount, period: string): PeriodCount {
  const { before } = count;
  if (period > count.period) return { period, used: 0, before: { period: count.period, used: count.used } };
  if (period === before?.period) return { period, used: before.used + count.used };
  return count;
}
