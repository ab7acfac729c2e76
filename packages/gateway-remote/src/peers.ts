/** What `hawser-remote pair`, `rotate` and `unpair` do. A running gateway follows by `watchRemoteConfig`. */

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

/** How long a command waits for another edit, milliseconds. */
const PATIENCE_MS = 5_000;
/** How often the old key of a rotation is tried to be dropped while another edit is under way, and after how long each. */
const DROP_ATTEMPTS = 50;
const DROP_RETRY_MS = 200;

/** What a peer is paired with. */
export interface PairingLine {
  /** A secret; the only time that it is shown. */
  readonly line: string;
  /** What whoever pairs should know: of the addresses in it, and of peers that were moved. */
  readonly notes: readonly string[];
}

/**
 * Admits a peer: writes its file.
 * @throws CodedError USAGE, SECRET_EXPOSED, PEER_EXISTS, NOT_ADVERTISED, or of a file; the peer is not admitted then
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
 * Gives a peer a new key. The old one is good until the peer joins with the new one, but for `graceMs` at most; 0: not
 * any more.
 * @throws CodedError SECRET_EXPOSED, PEER_UNKNOWN, NOT_ADVERTISED, or of a file; the peer's keys are then as they were
 */
export function rotateKey(file: string, name: string, graceMs: number): PairingLine {
  const written = loadRemoteFile(file);
  refuseUnknown(file, written, name);
  const key = generateSecret();
  const pairing = pairingLine(file, written, name, key);
  const moved = prepareFolder(file, written);
  const path = pathOfPeer(file, name);
  // Also whether others can read it.
  readPeer(path, name);
  editFile(path, (text) => {
    const old = graceMs === 0 ? undefined : oldKeyFor(parsePeerFile(text, path, name), graceMs);
    return withKeys(path, text, { key, old });
  });
  return { ...pairing, notes: [...pairing.notes, ...moved] };
}

/** No longer admits a peer. Returns notes, as of a pairing. @throws CodedError PEER_UNKNOWN, or of a file */
export function removePeer(file: string, name: string): readonly string[] {
  const written = loadRemoteFile(file);
  refuseUnknown(file, written, name);
  const moved = prepareFolder(file, written, PATIENCE_MS, name);
  if (namesInFolder(file).includes(name)) removeFile(pathOfPeer(file, name));
  return moved;
}

/**
 * Removes the old key of a peer that has joined with its new one, unless the file has changed meanwhile and this one is
 * not its key. @throws CodedError of a file; it is then as it was
 */
export async function dropOldKey(file: string, key: PeerKey): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return dropOnce(file, key);
    } catch (error) {
      const isBusy = error instanceof CodedError && error.code === ErrorCode.configBusy;
      if (!isBusy || attempt === DROP_ATTEMPTS) throw error;
      // The gateway does not stand still while somebody pairs.
      await sleep(DROP_RETRY_MS);
    }
  }
}

function dropOnce(file: string, { peer: name, psk }: PeerKey): void {
  const written = loadRemoteFile(file);
  const identity = identityOf(file, written);
  // Other peers' tables are left to the commands: what hinders their move does not hinder this.
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

/** Makes the folder peers/, and moves there what remote.toml has of peers, but for `leaving`. Returns what to say of that. */
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

/** Rotated twice in a row: the first new key was never used, or the old one would be gone. The peer holds that one. */
function oldKeyFor(peer: PeerConfig, graceMs: number): OldKey {
  const now = Date.now();
  const holdsOld = peer.old_key !== undefined && (peer.old_key_until?.getTime() ?? 0) > now;
  // Up to the next whole second, for people who read it.
  const until = new Date(Math.ceil((now + graceMs) / 1_000) * 1_000);
  return { key: holdsOld ? peer.old_key! : peer.key, until };
}

/** The text of a peer's file with other keys. Its comments are at its head then. */
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
