/** `hawser-remote pair`, `rotate` and `unpair`: change which peers are admitted. */

import { addPeer, type PairingLine, removePeer, rotateKey } from "../peers.ts";

/** @throws as `addPeer` */
export function pair(file: string, name: string): void {
  writePairing(file, addPeer(file, name));
}

/** The old key is good for `graceMs` at most. @throws as `rotateKey` */
export function rotate(file: string, name: string, graceMs: number): void {
  writePairing(file, rotateKey(file, name, graceMs));
}

/** Writes the pairing line alone to stdout, so that the user can redirect it into a file. */
function writePairing(file: string, { line, notes }: PairingLine): void {
  process.stdout.write(`${line}\n`);
  writeNotes(file, notes);
}

/** @throws as `removePeer` */
export function unpair(file: string, name: string): void {
  writeNotes(file, removePeer(file, name));
}

function writeNotes(file: string, notes: readonly string[]): void {
  for (const note of notes) process.stderr.write(`${file}: ${note}\n`);
}
