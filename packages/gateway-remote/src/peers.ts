/** The edits of `hawser-remote pair`, `rotate` and `unpair`. A running gateway follows them by `watchRemoteConfig`. */

import { setTimeout as sleep } from "node:timers/promises";
import { CodedError, ErrorCode, nearest } from "@hawser/gateway-kit/config";
import { createFile, editFile, makeFolder, removeFile } from "@hawser/gateway-kit/files";
import { parseToml } from "@hawser/gateway-kit/schema";
import { derivePsk, formatPairing, generateSecret, parseName, type Secret } from "@hawser/shared-protocol";
import { identityOf, loadRemoteFile, type RemoteFile } from "./config.ts";
import { movePeers } from "./move-peers.ts";
import { commentsIn, type PeerConfig, parsePeerFile, renderPeer } from "./peer-file.ts";
import { namesInFolder, pathOfPeer, peersFolder, readPeer } from "./peer-folder.ts";
import type { PeerKey } from "./peer-keys.ts";
import { reachOf } from "./reach.ts";

/** How long a command waits for another command's edit to end, milliseconds. */
const PATIENCE_MS = 5_000;
/**
 * How often the gateway tries to drop a rotation's old key while another edit is under way, and how long it waits in
 * between.
 */
const DROP_ATTEMPTS = 50;
const DROP_RETRY_MS = 200;

/** The outcome of pairing a peer. */
export interface PairingLine {
  /** The pairing line, a secret. It is shown this once. */
  readonly line: string;
  /** For the user who pairs: notes about the line's addresses, and about peers that were moved. */
  readonly notes: readonly string[];
}

/**
 * Admits a peer by writing its file. After an error the peer is not admitted.
 * @throws CodedError USAGE, SECRET_EXPOSED, PEER_EXISTS, NOT_ADVERTISED, or of a file
 */
export function addPeer(file: string, name: string): PairingLine {
  const valid = parseName(name);
  if (!valid.ok) throw new CodedError(ErrorCode.usage, `NAME: ${valid.problem}`);
  const written = loadRemoteFile(file);
  if (written.peer.some((peer) => peer.name === name)) throw admittedAlready(file, file, name);
  const key = generateSecret();
  const pairing = pairingLine(file, written, name, key);
  const moved = prepareFolder(file, written);
  const path = pathOfPeer(file, name);
  try {
    createFile(path, renderPeer({ key: key.revealBase64url() }));
  } catch (error) {
    const isThere = error instanceof CodedError && error.code === ErrorCode.configExists;
    throw isThere ? admittedAlready(path, file, name) : error;
  }
  return { ...pairing, notes: [...pairing.notes, ...moved] };
}

/**
 * Gives a peer a new key. The old key is good until the peer joins with the new one, and for `graceMs` at most; with 0
 * it is void at once. After an error the peer's keys are as before.
 * @throws CodedError SECRET_EXPOSED, PEER_UNKNOWN, NOT_ADVERTISED, or of a file
 */
export function rotateKey(file: string, name: string, graceMs: number): PairingLine {
  const written = loadRemoteFile(file);
  refuseUnknown(file, written, name);
  const key = generateSecret();
  const pairing = pairingLine(file, written, name, key);
  const moved = prepareFolder(file, written);
  const path = pathOfPeer(file, name);
  // Also checks that others cannot read the file.
  readPeer(path, name);
  editFile(path, (text) => {
    const old = graceMs === 0 ? undefined : oldKeyFor(parsePeerFile(text, path, name), graceMs);
    return withKeys(path, text, { key, old });
  });
  return { ...pairing, notes: [...pairing.notes, ...moved] };
}

/** Removes a peer. Returns notes for the user, as pairing does. @throws CodedError PEER_UNKNOWN, or of a file */
export function removePeer(file: string, name: string): readonly string[] {
  const written = loadRemoteFile(file);
  refuseUnknown(file, written, name);
  const moved = prepareFolder(file, written, PATIENCE_MS, name);
  if (namesInFolder(file).includes(name)) removeFile(pathOfPeer(file, name));
  return moved;
}

/**
 * Removes the old key of a peer that has joined with its new one. Does nothing when the file has changed meanwhile and
 * holds another key. After an error the file is as before.
 * @throws CodedError of a file
 */
export async function dropOldKey(file: string, key: PeerKey): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return dropOnce(file, key);
    } catch (error) {
      const isBusy = error instanceof CodedError && error.code === ErrorCode.configBusy;
      if (!isBusy || attempt === DROP_ATTEMPTS) throw error;
      // The gateway goes on with its work while somebody pairs.
      await sleep(DROP_RETRY_MS);
    }
  }
}

function dropOnce(file: string, { peer: name, psk }: PeerKey): void {
  const written = loadRemoteFile(file);
  const identity = identityOf(file, written);
  // Only the commands move other peers' tables, so what hinders that move does not hinder this edit.
  if (written.peer.some((peer) => peer.name === name)) prepareFolder(file, written, 0);
  if (!namesInFolder(file).includes(name)) return;
  const path = pathOfPeer(file, name);
  const edit = (text: string): string => {
    const peer = parsePeerFile(text, path, name);
    const isMeant = peer.old_key !== undefined && derivePsk(identity, peer.key, name).equals(psk);
    return isMeant ? withKeys(path, text, { key: peer.key, old: undefined }) : text;
  };
  editFile(path, edit, 0);
}

/** Makes the folder peers/ and moves the peers of remote.toml there, except `leaving`. Returns notes for the user. */
function prepareFolder(
  file: string,
  { peer }: RemoteFile,
  patienceMs = PATIENCE_MS,
  leaving?: string,
): string[] {
  makeFolder(peersFolder(file), patienceMs);
  const moved = peer.length > 0 ? movePeers(file, patienceMs, leaving) : [];
  if (moved.length === 0) return [];
  return [
    `moved into ${peersFolder(file)}, without the comments at the ends of their lines: ${moved.join(", ")}`,
  ];
}

/** @throws CodedError NOT_ADVERTISED */
function pairingLine(file: string, written: RemoteFile, name: string, key: Secret): PairingLine {
  const { endpoints, note } = reachOf(written);
  if (endpoints.length === 0) throw new CodedError(ErrorCode.notAdvertised, `${file}: ${note}`);
  const psk = derivePsk(identityOf(file, written), key, name);
  return { line: formatPairing({ name, psk, endpoints }), notes: note === undefined ? [] : [note] };
}

interface OldKey {
  readonly key: Secret;
  readonly until: Date;
}

/**
 * While an old key is good, the peer has never used its present key, since the first use ends the old one. So the old
 * key stays.
 */
function oldKeyFor(peer: PeerConfig, graceMs: number): OldKey {
  const now = Date.now();
  const holdsOld = peer.old_key !== undefined && (peer.old_key_until?.getTime() ?? 0) > now;
  // Rounded up to a whole second, for people who read it.
  const until = new Date(Math.ceil((now + graceMs) / 1_000) * 1_000);
  return { key: holdsOld ? peer.old_key! : peer.key, until };
}

/** The text of a peer's file with other keys. All comments stand at its head then. */
function withKeys(
  path: string,
  text: string,
  { key, old }: { key: Secret; old: OldKey | undefined },
): string {
  const { key: _key, old_key: _old, old_key_until: _until, ...limits } = parseToml(text, path);
  const oldKey = old && { old_key: old.key.revealBase64url(), old_key_until: old.until };
  return renderPeer({ key: key.revealBase64url(), ...oldKey, ...limits }, commentsIn(text));
}

function refuseUnknown(file: string, { peer }: RemoteFile, name: string): void {
  const names = [...new Set([...peer.map((table) => table.name), ...namesInFolder(file)])].sort();
  if (names.includes(name)) return;
  const meant = nearest(name, names);
  const admitted = names.length === 0 ? "no peer is admitted" : `admitted are ${names.join(", ")}`;
  const mend = meant === undefined ? admitted : `did you mean "${meant}"?`;
  throw new CodedError(ErrorCode.peerUnknown, `${file}: ${JSON.stringify(name)} is not admitted; ${mend}`);
}

/** `place` is where the peer's key stands: its own file, or the configuration `file`. */
function admittedAlready(place: string, file: string, name: string): CodedError {
  const mend = `for a new pairing line run: hawser-remote rotate ${name} -c ${file}`;
  return new CodedError(
    ErrorCode.peerExists,
    `${place}: ${JSON.stringify(name)} is admitted already; ${mend}`,
  );
}
