import { type Parsed, parsed, problem } from "@hawser/shared-protocol";

const UNITS: ReadonlyMap<string, number> = new Map([
  ["s", 1_000],
  ["m", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
]);

/** A length of time, as milliseconds: `"90s"`, `"30m"`, `"24h"`, `"7d"`. */
export function parseDuration(text: string): Parsed<number> {
  const match = /^(\d{1,5}) ?([a-z])$/.exec(text);
  const unit = UNITS.get(match?.[2] ?? "");
  if (!match || unit === undefined) {
    const units = [...UNITS.keys()].join(" ");
    return problem(`${JSON.stringify(text)} is not a length of time such as "24h" (units: ${units})`);
  }
  return parsed(Number(match[1]) * unit);
}
