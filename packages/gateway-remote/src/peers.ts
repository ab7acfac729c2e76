/** What `hawser-remote init`, `pair`, `unpair` and `peers` do. A running gateway follows by `watchRemoteConfig`. */

import { existsSync, unlinkSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { dirname, join, resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import {
  CodedError,
  type ConfigWatch,
  derivePsk,
  type Endpoint,
  ErrorCode,
  formatEndpoint,
  formatIdentity,
  formatPairing,
  generateSecret,
  isWildcardHost,
  nearest,
  parseName,
  readTextFile,
  type WatchHandlers,
  watchConfig,
} from "@hawser/shared-protocol/node";
import {
  loadRemoteConfig,
  parseRemoteFile,
  type RemoteConfig,
  type RemoteFile,
  withSecrets,
} from "./config.ts";
import { createFile, editFile } from "./peers-file.ts";
import { appendPeer, cutPeer, renderConfig } from "./peers-text.ts";

export interface InitOptions {
  readonly listen: Endpoint;
  /** Where local gateways reach this one; empty: at `listen`. */
  readonly advertise: readonly Endpoint[];
}

/**
 * Writes a configuration, and `identity.pem` beside it, both mode 0600.
 * @throws CodedError CONFIG_EXISTS when either exists, CONFIG_UNWRITABLE; nothing is left behind then.
 */
export function initConfig(file: string, { listen, advertise }: InitOptions): void {
  // Asked first, so that a second `init` does not leave a new identity beside an old configuration.
  if (existsSync(file)) {
    throw new CodedError(
      ErrorCode.configExists,
      `${file}: exists already; name another file, or move it away`,
    );
  }
  const identity = join(dirname(file), "identity.pem");
  createFile(identity, formatIdentity(generateSecret()));
  try {
    createFile(file, renderConfig({ listen: [listen], advertise: [...advertise] }));
  } catch (error) {
    unlinkSync(identity);
    throw error;
  }
}

/**
 * Admits a peer. Returns its pairing line: the only time that it is shown.
 * @throws CodedError USAGE, PEER_EXISTS, NOT_ADVERTISED, or of the file; the file is then as it was.
 */
export function addPeer(file: string, name: string): string {
  const valid = parseName(name);
  if (!valid.ok) throw new CodedError(ErrorCode.usage, `NAME: ${valid.problem}`);
  const key = generateSecret();
  let line = "";
  editFile(file, (text) => {
    const before = parseRemoteFile(text, file);
    if (before.peer.some((peer) => peer.name === name)) {
      const mend = `for a new pairing line: unpair ${name}, then pair it again`;
      throw new CodedError(
        ErrorCode.peerExists,
        `${file}: ${JSON.stringify(name)} is admitted already; ${mend}`,
      );
    }
    const { identity } = withSecrets(file, before);
    line = formatPairing({ name, psk: derivePsk(identity, key, name), endpoints: advertised(file, before) });
    const after = appendPeer(text, name, key);
    checkEdit(file, after, [...namesOf(before), name]);
    return after;
  });
  return line;
}

/** No longer admits a peer. @throws CodedError PEER_UNKNOWN, or of the file; the file is then as it was. */
export function removePeer(file: string, name: string): void {
  editFile(file, (text) => {
    const names = namesOf(parseRemoteFile(text, file));
    const index = names.indexOf(name);
    if (index < 0) throw unknownPeer(file, name, names);
    const after = cutPeer(text, index);
    checkEdit(file, after, names.toSpliced(index, 1));
    return after;
  });
}

/** The names of the admitted peers, in the order of the file. @throws ConfigError */
export function listPeers(file: string): string[] {
  return namesOf(parseRemoteFile(readTextFile(file).text, file));
}

/** Follows remote.toml; a broken one is reported, and what was in force stays. */
export function watchRemoteConfig(file: string, handlers: WatchHandlers<RemoteConfig>): ConfigWatch {
  return watchConfig(resolve(file), () => loadRemoteConfig(file), handlers);
}

function namesOf({ peer }: RemoteFile): string[] {
  return peer.map(({ name }) => name);
}

/** Where a pairing line says that this gateway is. */
function advertised(file: string, { advertise, listen }: RemoteFile): readonly Endpoint[] {
  if (advertise.length > 0) return advertise;
  const reachable = listen.filter(({ host, port }) => !isWildcardHost(host) && port !== 0);
  if (reachable.length > 0) return reachable;
  const port = listen[0]?.port ?? 0;
  const example = JSON.stringify(
    formatEndpoint({ host: publicAddress() ?? "vps.example", port: port || 4433 }),
  );
  throw new CodedError(
    ErrorCode.notAdvertised,
    `${file}: advertise: is needed for a pairing line, since "listen" is every address; ` +
      `add the one that the Internet reaches, such as: advertise = [${example}] (init --advertise writes it)`,
  );
}

/** A guess for the user to correct: the first address of this machine that is not its own alone. */
function publicAddress(): string | undefined {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return addresses.find(({ internal, address }) => !internal && !address.startsWith("fe80:"))?.address;
}

/** TOML can be written in ways that editing by lines does not see; then nothing is written. */
function checkEdit(file: string, text: string | undefined, names: readonly string[]): asserts text is string {
  if (text !== undefined && isDeepStrictEqual(namesAfter(text, file), names)) return;
  const what =
    "its peers are written in a way that this program does not edit; use [[peer]] tables, or edit it by hand";
  throw new CodedError(ErrorCode.configUnwritable, `${file}: peer: ${what}`);
}

function namesAfter(text: string, file: string): string[] | undefined {
  try {
    return namesOf(parseRemoteFile(text, file));
  } catch {
    return undefined;
  }
}

function unknownPeer(file: string, name: string, names: readonly string[]): CodedError {
  const meant = nearest(name, names);
  const admitted = names.length === 0 ? "no peer is admitted" : `admitted are ${names.join(", ")}`;
  const mend = meant === undefined ? admitted : `did you mean "${meant}"?`;
  return new CodedError(ErrorCode.peerUnknown, `${file}: ${JSON.stringify(name)} is not admitted; ${mend}`);
}
