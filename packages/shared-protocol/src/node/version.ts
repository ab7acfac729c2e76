import { readFileSync } from "node:fs";

/** Hawser's version: both gateways and this package are released together. */
export function packageVersion(): string {
  const file = new URL("../../package.json", import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}
