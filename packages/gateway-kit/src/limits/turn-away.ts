import type { Socket } from "node:net";
import { Admission, withinDescriptors } from "./admission.ts";

/** A client has read that it was refused long before, milliseconds. */
export const TURN_AWAY_MS = 5_000;
/** Those that may stay so long, of all listeners: their descriptors are taken from flows. */
export const TURNED_AWAY = { total: 256, perSource: 64, perSite: 128 };

/** Who has had its answer goes for another: the kernel still delivers that. */
let leaving: Admission<Socket> | undefined;

/**
 * Refuses a client in the words of its own protocol: it gets them and FIN, and has to leave soon. One that stayed would
 * hold a descriptor for as long as it likes, as neither silence nor half an open connection ends one. The socket needs a
 * listener for 'error'.
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
  // What it may still send is of no interest, but must be read for its FIN to be seen.
  socket.resume();
}
