/** Numbers in a query, which are text there. */

import { z } from "zod";

export const NUMBER = /^\d{1,16}$/;
export const COUNT = /^[1-9]\d{0,15}$/;

/** What the patterns mean, for who has to mend a query. */
export const PATTERN_NAMES: ReadonlyMap<string, string> = new Map([
  [NUMBER.source, "a whole number"],
  [COUNT.source, "a whole number from 1 on"],
]);

export function digits(pattern: RegExp, description: string): z.ZodOptional<z.ZodString> {
  return z.string().regex(pattern).optional().meta({ description });
}
