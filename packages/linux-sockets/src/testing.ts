/** What only tests need. */

import koffi from "koffi";

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
