import { isDeepStrictEqual } from "node:util";
import { Secret } from "@hawser/shared-protocol";

/** Keys of a configuration file, and what each says in the configuration that was made of it. */
export type KeyValues<C> = Readonly<Record<string, (config: C) => unknown>>;

/** The keys that say something else in `after` than in `before`. */
export function changedKeys<C>(values: KeyValues<C>, before: C, after: C): string[] {
  return Object.entries(values)
    .filter(([, valueOf]) => !isSame(valueOf(before), valueOf(after)))
    .map(([key]) => key);
}

function isSame(a: unknown, b: unknown): boolean {
  // Secrets show nothing to whoever compares them from outside.
  return a instanceof Secret && b instanceof Secret ? a.equals(b) : isDeepStrictEqual(a, b);
}
