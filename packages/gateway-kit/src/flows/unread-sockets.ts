import type { Socket } from "node:net";
import { socketError } from "@hawser/linux-sockets";

/** How soon a reset is noticed, milliseconds. Whoever waits for it has waited for a stalled reader before. */
const PERIOD_MS = 1_000;

const unread = new Map<Socket, () => void>();
let timer: NodeJS.Timeout | undefined;

/**
 * Looks after a socket that is not being read for now: Node hears nothing of it until it reads or writes again, so the
 * reset of a connection whose other end has stalled would go unnoticed for as long as the stall lasts.
 */
export function watchUnread(socket: Socket, onBroken: () => void): void {
  unread.set(socket, onBroken);
  timer ??= setInterval(check, PERIOD_MS).unref();
}

/** It is read again, or gone. */
export function forgetUnread(socket: Socket): void {
  if (!unread.delete(socket) || unread.size > 0) return;
  clearInterval(timer);
  timer = undefined;
}

function check(): void {
  for (const [socket, onBroken] of unread) {
    if (socketError(socket) === undefined) continue;
    forgetUnread(socket);
    onBroken();
  }
}
