/**
 * How long a reset waits. What was acknowledged to its writer reaches the reader first, however slow that is; only where
 * nothing moves any more there is an end to it.
 */

import type { Socket } from "node:net";
import { socketFd, tcpInfo } from "@hawser/linux-sockets";

/** Without any progress, milliseconds: a reader that pauses goes on, and what a dead one holds is soon free. */
export const RESET_PATIENCE_MS = 60_000;
/** Looks at the progress in that time. */
const LOOKS = 12;
/** How soon a socket whose queue is empty is reset, milliseconds. */
const QUEUE_PERIOD_MS = 25;

/**
 * Calls `giveUp` when `progress` has told the same for RESET_PATIENCE_MS, `stillFor` of which are over already. It tells
 * undefined once there is nothing to wait for. The result ends the wait.
 */
export function whenStill(progress: () => number | undefined, giveUp: () => void, stillFor = 0): () => void {
  let before = progress();
  let still = Math.floor((stillFor / RESET_PATIENCE_MS) * LOOKS);
  const timer = setInterval(() => {
    const now = progress();
    still = now === before ? still + 1 : 0;
    before = now;
    if (now !== undefined && still < LOOKS) return;
    clearInterval(timer);
    if (now !== undefined) giveUp();
  }, RESET_PATIENCE_MS / LOOKS).unref();
  return () => clearInterval(timer);
}

/** What the socket's other end has acknowledged; undefined when the socket is gone. */
export function acknowledgedBytes(socket: Socket): number | undefined {
  return tcpInfo(socketFd(socket))?.bytesAcked;
}

const waiting = new Map<Socket, () => void>();
let timer: NodeJS.Timeout | undefined;

/** Calls `done` when the other end has acknowledged all that the kernel was given for the socket, or the socket is gone. */
export function whenAcknowledged(socket: Socket, done: () => void): void {
  if (isAcknowledged(socket)) return done();
  waiting.set(socket, done);
  timer ??= setInterval(look, QUEUE_PERIOD_MS).unref();
}

function look(): void {
  for (const [socket, done] of waiting) {
    if (!isAcknowledged(socket)) continue;
    waiting.delete(socket);
    done();
  }
  if (waiting.size > 0) return;
  clearInterval(timer);
  timer = undefined;
}

function isAcknowledged(socket: Socket): boolean {
  const info = tcpInfo(socketFd(socket));
  return !info || (info.unacked === 0 && info.notsentBytes === 0);
}
