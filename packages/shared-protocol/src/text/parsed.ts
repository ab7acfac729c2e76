/** What a text means, or what is wrong with it. Parsers return this and do not throw. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: string };

/** The text was right, and means `value`. */
export function parsed<T>(value: T): Parsed<T> {
  return { ok: true, value };
}

/** The text was wrong. `text` goes on where the name of the key ends: "is empty", `"x" has no port`. */
export function problem(text: string): Parsed<never> {
  return { ok: false, problem: text };
}
