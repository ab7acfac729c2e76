import { type Parsed, parsed, problem } from "@hawser/shared-protocol";

const UNITS: ReadonlyMap<string, number> = new Map([
  ["B", 1],
  ["KiB", 2 ** 10],
  ["MiB", 2 ** 20],
  ["GiB", 2 ** 30],
  ["kB", 1e3],
  ["MB", 1e6],
  ["GB", 1e9],
  ["TB", 1e12],
]);

/** A number of bytes: `"256MiB"`, `"1.5 GiB"`, `"300MB"`. Rounded down to whole bytes. */
export function parseSize(text: string): Parsed<number> {
  const match = /^(\d+(?:\.\d+)?) ?([A-Za-z]+)$/.exec(text);
  const unit = UNITS.get(match?.[2] ?? "");
  if (!match || unit === undefined) {
    return problem(
      `${JSON.stringify(text)} is not a size such as "256MiB" (units: ${[...UNITS.keys()].join(" ")})`,
    );
  }
  return parsed(Math.floor(Number(match[1]) * unit));
}
