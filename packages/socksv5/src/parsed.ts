/**
 * What a message parser says about the bytes it was shown: not enough yet, a value and how many
 * bytes it took, or an error. Parsers are pure and are shown the message from its start each time;
 * messages are at most 513 bytes, so parsing again costs nothing worth keeping state for.
 */

import type { SocksError } from "./errors.ts";

export type Parsed<T> =
  | { readonly state: "more" }
  | { readonly state: "done"; readonly value: T; readonly length: number }
  | { readonly state: "error"; readonly error: SocksError };

export const MORE = { state: "more" } as const;

export function done<T>(value: T, length: number): Parsed<T> {
  return { state: "done", value, length };
}

export function failed(error: SocksError): { readonly state: "error"; readonly error: SocksError } {
  return { state: "error", error };
}

// A name must not be silently altered: broken UTF-8 is refused and a leading BOM is kept.
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The bytes as text, or undefined when they are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}
