/** Waiting in turns of the event loop: on the loopback what was sent is there at once, and is read in one of the next turns. */

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import type { Socket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { libc } from "../libc.ts";
import { socketFd } from "../node-internals.ts";

/** After this many turns all that was possible has happened. */
const ENOUGH = 20;
const MSG_PEEK = 2;

export async function turns(count = ENOUGH): Promise<void> {
  for (let n = 0; n < count; n++) await turn();
}

export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await turn();
}

/** Until so many bytes can be read of the socket, which are left there. */
export async function untilArrived(socket: Socket, bytes: number): Promise<void> {
  const peeked = Buffer.alloc(bytes);
  const fd = socketFd(socket) ?? -1;
  await until(() => libc().recvfrom(fd, peeked, bytes, MSG_PEEK, peeked, new Uint32Array(1)) >= bytes);
}

export const openFds = (): number => readdirSync("/proc/self/fd").length;

/** No more descriptors are open than before. Node closes them some turns after destroy(). */
export async function assertNoLeak(before: number): Promise<void> {
  for (let n = 0; n < 1_000 && openFds() > before; n++) await turn();
  assert.ok(openFds() <= before, `descriptors: ${before} before, ${openFds()} after`);
}
