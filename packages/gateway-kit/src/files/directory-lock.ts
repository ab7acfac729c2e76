/** Only one process at a time edits files in a directory. When that process dies, the kernel releases its lock. */

import { closeSync, constants, openSync } from "node:fs";
import { errnoName, libc, Sys, SystemError } from "@hawser/linux-sockets";
import type { Directory } from "./directory.ts";

/** Time between two attempts to take the lock, milliseconds. An edit takes as long as the disk takes to write a page. */
const RETRY_MS = 20;

/**
 * Waits for the lock of a directory; disposing gives it back. The wait blocks this process. Undefined: somebody else has
 * had it for all of `patienceMs`.
 * @throws the error of a system call
 */
export function lockDirectory(directory: Directory, patienceMs: number): Disposable | undefined {
  const fd = openSync(directory.at("."), constants.O_RDONLY | constants.O_DIRECTORY);
  let isOurs = false;
  try {
    const deadline = performance.now() + patienceMs;
    while (!(isOurs = tryLock(fd)) && performance.now() < deadline) sleep(RETRY_MS);
  } finally {
    if (!isOurs) closeSync(fd);
  }
  return isOurs ? { [Symbol.dispose]: () => closeSync(fd) } : undefined;
}

function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

function tryLock(fd: number): boolean {
  const c = libc();
  if (c.flock(fd, Sys.LOCK_EX | Sys.LOCK_NB) === 0) return true;
  const number = c.errno();
  const name = errnoName(number);
  if (name === "EAGAIN" || name === "EINTR") return false;
  throw new SystemError(name, number, "flock", "a directory cannot be locked");
}
