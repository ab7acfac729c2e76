/** What `hawser-remote init`, `pair`, `rotate`, `unpair` and `peers` do. A running gateway follows by `watchRemoteConfig`. */

import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import {
  CodedError,
  type ConfigWatch,
  ErrorCode,
  nearest,
  readSecretFile,
  readTextFile,
  type WatchHandlers,
  watchConfig,
} from "@hawser/gateway-kit/config";
import { createFile, editFile, removeFile } from "@hawser/gateway-kit/files";
import {
  derivePsk,
  type Endpoint,
  formatIdentity,
  formatPairing,
  generateSecret,
  parseName,
  Secret,
} from "@hawser/shared-protocol";
import {
  loadRemoteConfig,
  type PeerConfig,
  parseRemoteFile,
  type RemoteConfig,
  type RemoteFile,
  withSecrets,
} from "./config.ts";
import type { PeerKey } from "./peer-keys.ts";
import { appendPeer, cutPeer, renderConfig, replaceKeys, type WrittenKeys } from "./peers-text.ts";
import { reachOf } from "./reach.ts";

/** How often the old key of a rotation is tried to be dropped while the file is being edited, and after how long each. */
const DROP_ATTEMPTS = 50;
const DROP_RETRY_MS = 200;

/** What a peer is paired with. */
export interface PairingLine {
  /** A secret; the only time that it is shown. */
  readonly line: string;
  /** What whoever pairs should know of the addresses in it. */
  readonly note?: string | undefined;
}

export interface InitOptions {
  readonly listen: Endpoint;
  /** Where local gateways reach this one; empty: see `reachOf`. */
  readonly advertise: readonly Endpoint[];
}

/**
 * Writes a configuration, and `identity.pem` beside it, both for their owner alone (see `createFile`).
 * Returns what is to be known, or written into it, before peers are paired, if anything.
 * @throws CodedError CONFIG_EXISTS when either exists, CONFIG_UNWRITABLE; nothing is left behind then.
 */
export function initConfig(file: string, options: InitOptions): string | undefined {
  const written = { listen: [options.listen], advertise: [...options.advertise] };
  // Asked first, so that a second `init` does not leave a new identity beside an old configuration.
  if (existsSync(file)) {
    throw new CodedError(
      ErrorCode.configExists,
      `${file}: exists already; name another file, or move it away`,
    );
  }
  const identity = join(dirname(file), "identity.pem");
  if (existsSync(identity)) {
    const mend =
      "each gateway has a folder of its own; write the configuration into another, or move the identity away";
    throw new CodedError(
      ErrorCode.configExists,
      `${identity}: exists already, of another configuration: ${mend}`,
    );
  }
  createFile(identity, formatIdentity(generateSecret()));
  try {
    createFile(file, renderConfig(written));
  } catch (error) {
    removeFile(identity);
    throw error;
  }
  return reachOf(written).note;
}

/**
 * Admits a peer.
 * @throws CodedError USAGE, SECRET_EXPOSED, PEER_EXISTS, NOT_ADVERTISED, or of the file; the file is then as it was.
 */
export function addPeer(file: string, name: string): PairingLine {
  const valid = parseName(name);
  if (!valid.ok) throw new CodedError(ErrorCode.usage, `NAME: ${valid.problem}`);
  // It is about to hold a secret.
  readSecretFile(file);
  const key = generateSecret();
  let pairing: PairingLine = { line: "" };
  editFile(file, (text) => {
    const before = parseRemoteFile(text, file);
    if (before.peer.some((peer) => peer.name === name)) {
      const mend = `for a new pairing line: rotate ${name}`;
      throw new CodedError(
        ErrorCode.peerExists,
        `${file}: ${JSON.stringify(name)} is admitted already; ${mend}`,
      );
    }
    const { identity } = withSecrets(file, before);
    pairing = pairingLine(file, before, name, derivePsk(identity, key, name));
    return checked(file, appendPeer(text, name, key), before, (peers, after) => {
      // What is not written has its default.
      const added = after.at(-1);
      return added ? [...peers, { ...added, name, key }] : [];
    });
  });
  return pairing;
}

/**
 * Gives a peer a new key. The old one is good until the peer joins with the new one, but for `graceMs` at most; 0: not
 * any more.
 * @throws CodedError SECRET_EXPOSED, PEER_UNKNOWN, NOT_ADVERTISED, or of the file; the file is then as it was.
 */
export function rotateKey(file: string, name: string, graceMs: number): PairingLine {
  readSecretFile(file);
  const key = generateSecret();
  let pairing: PairingLine = { line: "" };
  editFile(file, (text) => {
    const before = parseRemoteFile(text, file);
    const index = indexOf(file, before, name);
    const { identity } = withSecrets(file, before);
    pairing = pairingLine(file, before, name, derivePsk(identity, key, name));
    const keys = graceMs === 0 ? { key } : { key, old: oldKeyFor(before.peer[index]!, graceMs) };
    return writeKeys(file, text, before, index, keys);
  });
  return pairing;
}

/**
 * Removes the old key of a peer that has joined with its new one, unless the file has changed meanwhile and this one is
 * not its key. @throws CodedError of the file; it is then as it was.
 */
export async function dropOldKey(file: string, key: PeerKey): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return editFile(file, (text) => withoutOldKey(file, text, key), 0);
    } catch (error) {
      const isBusy = error instanceof CodedError && error.code === ErrorCode.configBusy;
      if (!isBusy || attempt === DROP_ATTEMPTS) throw error;
      // The gateway does not stand still while somebody pairs.
      await sleep(DROP_RETRY_MS);
    }
  }
}

function withoutOldKey(file: string, text: string, { peer: name, psk }: PeerKey): string {
  const before = parseRemoteFile(text, file);
  const index = before.peer.findIndex((peer) => peer.name === name);
  const peer = before.peer[index];
  const { identity } = withSecrets(file, before);
  if (!peer?.old_key || !derivePsk(identity, peer.key, name).equals(psk)) return text;
  return writeKeys(file, text, before, index, { key: peer.key });
}

/** @throws CodedError NOT_ADVERTISED */
function pairingLine(file: string, written: RemoteFile, name: string, psk: Secret): PairingLine {
  const { endpoints, note } = reachOf(written);
  if (endpoints.length === 0) throw new CodedError(ErrorCode.notAdvertised, `${file}: ${note}`);
  return { line: formatPairing({ name, psk, endpoints }), note };
}

/** Rotated twice in a row: the first new key was never used, or the old one would be gone. The peer holds that one. */
function oldKeyFor(peer: PeerConfig, graceMs: number): { key: Secret; until: Date } {
  const now = Date.now();
  const holdsOld = peer.old_key !== undefined && (peer.old_key_until?.getTime() ?? 0) > now;
  // Up to the next whole second, as it is written.
  const until = new Date(Math.ceil((now + graceMs) / 1_000) * 1_000);
  return { key: holdsOld ? peer.old_key! : peer.key, until };
}

function writeKeys(file: string, text: string, before: RemoteFile, index: number, keys: WrittenKeys): string {
  const { key, old } = keys;
  const changed = { key, old_key: old?.key, old_key_until: old?.until };
  return checked(file, replaceKeys(text, index, keys), before, (peers) =>
    peers.with(index, { ...peers[index]!, ...changed }),
  );
}

/** No longer admits a peer. @throws CodedError PEER_UNKNOWN, or of the file; the file is then as it was. */
export function removePeer(file: string, name: string): void {
  editFile(file, (text) => {
    const before = parseRemoteFile(text, file);
    const index = indexOf(file, before, name);
    return checked(file, cutPeer(text, index), before, (peers) => peers.toSpliced(index, 1));
  });
}

/** The names of the admitted peers, in the order of the file. @throws ConfigError */
export function listPeers(file: string): string[] {
  return namesOf(parseRemoteFile(readTextFile(file).text, file));
}

/** Follows remote.toml; a broken one is reported, and what was in force stays. */
export function watchRemoteConfig(file: string, handlers: WatchHandlers<RemoteConfig>): ConfigWatch {
  return watchConfig([resolve(file)], () => loadRemoteConfig(file), handlers);
}

function namesOf({ peer }: RemoteFile): string[] {
  return peer.map(({ name }) => name);
}

type Peers = RemoteFile["peer"];

/**
 * The edited text, if it says what was meant and nothing else: TOML can be written in ways that editing by lines does not
 * see.
 * @throws CodedError CONFIG_UNWRITABLE
 */
function checked(
  file: string,
  text: string | undefined,
  before: RemoteFile,
  change: (peers: Peers, after: Peers) => readonly PeerConfig[],
): string {
  const after = text === undefined ? undefined : parsedOrNothing(text, file);
  const isRight = (found: RemoteFile): boolean =>
    isDeepStrictEqual(plain(found), plain({ ...before, peer: change(before.peer, found.peer) }));
  if (text !== undefined && after && isRight(after)) return text;
  const what =
    "its peers are written in a way that this program does not edit; use [[peer]] tables, or edit it by hand";
  throw new CodedError(ErrorCode.configUnwritable, `${file}: peer: ${what}`);
}

function parsedOrNothing(text: string, file: string): RemoteFile | undefined {
  try {
    return parseRemoteFile(text, file);
  } catch {
    return undefined;
  }
}

/** A value that can be compared, secrets included. */
function plain(value: unknown): unknown {
  const text = JSON.stringify(value, function (this: Record<string, unknown>, key, shown: unknown) {
    const own = this[key];
    if (own instanceof Secret) return own.revealBase64url();
    return typeof shown === "bigint" ? String(shown) : shown;
  });
  return JSON.parse(text);
}

function indexOf(file: string, config: RemoteFile, name: string): number {
  const names = namesOf(config);
  const index = names.indexOf(name);
  if (index < 0) throw unknownPeer(file, name, names);
  return index;
}

function unknownPeer(file: string, name: string, names: readonly string[]): CodedError {
  const meant = nearest(name, names);
  const admitted = names.length === 0 ? "no peer is admitted" : `admitted are ${names.join(", ")}`;
  const mend = meant === undefined ? admitted : `did you mean "${meant}"?`;
  return new CodedError(ErrorCode.peerUnknown, `${file}: ${JSON.stringify(name)} is not admitted; ${mend}`);
}
