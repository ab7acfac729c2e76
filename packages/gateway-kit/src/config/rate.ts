import { type Parsed, parsed, problem } from "@hawser/shared-protocol";

const UNITS: ReadonlyMap<string, number> = new Map([
  ["bit/s", 1],
  ["kbit/s", 1e3],
  ["Mbit/s", 1e6],
  ["Gbit/s", 1e9],
]);

/** A rate in bits per second: `"20 Mbit/s"`, `"800kbit/s"`. */
export function parseRate(text: string): Parsed<number> {
  const match = /^(\d+(?:\.\d+)?) ?([A-Za-z]+\/s)$/.exec(text);
  const unit = UNITS.get(match?.[2] ?? "");
  if (!match || unit === undefined) {
    return problem(
      `${JSON.stringify(text)} is not a rate such as "20 Mbit/s" (units: ${[...UNITS.keys()].join(" ")})`,
    );
  }
  return parsed(Math.round(Number(match[1]) * unit));
}
