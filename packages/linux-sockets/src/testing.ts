/** What only tests need. */

import type { Server } from "node:net";
import { constants } from "node:os";
import koffi from "koffi";

export { openUnconnected } from "./node-internals.ts";
export { assertNoLeak, openFds } from "./testing/turns.ts";

export const MSG_OOB = 1;

/** send(2): with MSG_OOB its last byte is urgent. How many bytes were taken, or -1. */
export const send = koffi
  .load(null)
  .func("intptr_t send(int fd, const void *bytes, size_t length, int flags)") as (
  fd: number,
  bytes: Buffer,
  length: number,
  flags: number,
) => number;

/**
 * Has a listening server learn that accept(2) failed, as libuv tells it.
 *
 * - Name: `_handle.onconnection`, which libuv's callback calls with a negative errno.
 * - Seen: Node 22, 24, 26.
 * - Instead: a process that really runs out of descriptors (ENFILE: a machine that does).
 */
export function failAccept(server: Server, errno: keyof typeof constants.errno): void {
  const { _handle } = server as unknown as { _handle: { onconnection(status: number): void } };
  _handle.onconnection(-constants.errno[errno]);
}
