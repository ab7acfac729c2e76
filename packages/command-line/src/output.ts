/** What commands write to stdout. */

import type { ScreenOutput } from "./screen.ts";

/** Prints a value as JSON, indented by two spaces, with a line break at its end. */
export function writeJson(value: unknown, stdout: Pick<ScreenOutput, "write"> = process.stdout): void {
  stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

/**
 * Resolves when stdout has taken all that was written to it. While a pipe is full, Node keeps the rest; the rest is lost
 * when the process ends or stdout is closed.
 */
export function untilWritten(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (process.stdout.writableLength === 0) resolve();
  else process.stdout.write("", () => resolve());
  return promise;
}
