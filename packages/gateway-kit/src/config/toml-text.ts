/** A TOML file as a text: in which line a key stands, and what a parser's complaint means. */

/** A table's header: `[status]`, or `[[path]]` for the next entry of an array. */
const HEADER = /^\s*(\[\[?)\s*([A-Za-z0-9_.-]+)\s*\]\]?/;
const KEY = /^\s*("[^"]*"|[A-Za-z0-9_-]+)\s*[=.]/;

/**
 * The line of the innermost table or key on `path` that is written as a line of its own, from 1; undefined when none is.
 * For messages: a file that is written in an unusual way gets none.
 */
export function lineOf(text: string, path: readonly PropertyKey[]): number | undefined {
  const counts = new Map<string, number>();
  let table: readonly PropertyKey[] = [];
  let best: { readonly line: number; readonly depth: number } | undefined;
  for (const [i, row] of text.split("\n").entries()) {
    const header = HEADER.exec(row);
    if (header) table = pathOfHeader(header[1] === "[[", header[2] ?? "", counts);
    const key = header ? undefined : KEY.exec(row)?.[1]?.replaceAll('"', "");
    const place = key === undefined ? table : [...table, key];
    const isMeant = (header || key !== undefined) && isPrefix(place, path);
    if (isMeant && place.length > (best?.depth ?? 0)) best = { line: i + 1, depth: place.length };
  }
  return best?.line;
}

/** Where a header leads: the entries of an array are counted in the order of the file. */
function pathOfHeader(isArray: boolean, name: string, counts: Map<string, number>): PropertyKey[] {
  if (!isArray) return name.split(".").flatMap((part, i) => (i === 0 ? within(part, counts) : [part]));
  const index = counts.get(name) ?? 0;
  counts.set(name, index + 1);
  return [name, index];
}

/** A table below an array's entry belongs to the latest one. */
function within(part: string, counts: ReadonlyMap<string, number>): PropertyKey[] {
  const count = counts.get(part);
  return count === undefined ? [part] : [part, count - 1];
}

function isPrefix(place: readonly PropertyKey[], path: readonly PropertyKey[]): boolean {
  return place.length <= path.length && place.every((part, i) => part === path[i]);
}

/** What the parser says of `text` at a line (from 1), in words that name the mend. Nothing of a value is quoted. */
export function explainSyntax(message: string, text: string, line: number): string {
  const row = text.split("\n")[line - 1] ?? "";
  if (/control characters are not allowed in strings/.test(message))
    return 'the string has no closing quote; write it between two of ", on one line';
  const name = HEADER.exec(row);
  if (/redefine an already defined/.test(message) && name?.[1] === "[")
    return `[${name[2]}] is there already; an entry of a list is written with two brackets: [[${name[2]}]]`;
  if (/redefine an already defined/.test(message)) return "this key is there already; write it once";
  return message;
}
