import { type Parsed, parsed, problem } from "./parsed.ts";

/** The name of a peer or a path. It stands in pairing lines, URLs, metrics and logs, so only plain characters are allowed. */
export function parseName(text: string): Parsed<string> {
  if (/^[A-Za-z0-9._-]{1,64}$/.test(text)) return parsed(text);
  const shown = text.length > 64 ? "is too long" : `${JSON.stringify(text)} is not a valid name`;
  return problem(`${shown}; use 1 to 64 of the characters A-Z a-z 0-9 . _ -`);
}
