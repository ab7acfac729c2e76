import type { Socket } from "node:net";
import { Admission, withinDescriptors } from "./admission.ts";

/** How long a refused client may keep its connection, milliseconds: it has read the refusal long before. */
export const TURN_AWAY_MS = 5_000;
/** How many refused clients may stay at once, over all listeners. Their descriptors come out of those for flows. */
export const TURNED_AWAY = { total: 256, perSource: 64, perSite: 128 };

/** The oldest refused client makes room for a new one. The kernel still delivers its answer. */
let leaving: Admission<Socket> | undefined;

/**
 * Refuses a client in its own protocol: it gets `words` and FIN, and is closed soon after. Otherwise a client that never
 * closes would hold a descriptor for ever, since neither silence nor a half-closed connection ends a socket. The socket
 * needs a listener for 'error'.
 */
export function turnAway(socket: Socket, words: string | Uint8Array): void {
  if (socket.destroyed) return;
  leaving ??= new Admission(withinDescriptors(TURNED_AWAY), (oldest) => oldest.destroy());
  leaving.enter(socket, socket.remoteAddress);
  const deadline = setTimeout(() => socket.destroy(), TURN_AWAY_MS);
  socket.once("close", () => {
    clearTimeout(deadline);
    leaving?.leave(socket);
  });
  socket.end(words);
  // Node sees the client's FIN only when everything before it has been read.
  socket.resume();
}
