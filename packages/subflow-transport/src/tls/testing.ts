/** Keys for tests. */

import type { ClientTlsOptions } from "./psk.ts";

export const KEY = Buffer.alloc(32, 7);
export const OTHER = Buffer.alloc(32, 8);
export const KEYS = { lookup: (identity: string) => (identity === "home" ? KEY : undefined) };
export const CLIENT: ClientTlsOptions = {
  identity: "home",
  psk: KEY,
  servername: "hawser.example",
  deadlineMs: 2_000,
};
