/**
 * The folder peers/ beside remote.toml, with a file for each peer. A faulty file is reported, and the other files
 * count: one peer's damaged file locks no other home out.
 */

import { dirname, join } from "node:path";
import {
  ConfigError,
  ErrorCode,
  type Finding,
  readTextFile,
  whyExposed,
  whyForeign,
} from "@hawser/gateway-kit/config";
import { listFolder } from "@hawser/gateway-kit/files";
import { fileNameOf, type PeerConfig, parsePeerFile, peerOfFileName } from "./peer-file.ts";

/** A fault in what the files say of a peer. */
export interface PeerProblem {
  /** Undefined when the file's name is no peer's name. */
  readonly peer: string | undefined;
  readonly findings: readonly Finding[];
  /**
   * Whether the peer is admitted in spite of the fault: its earlier state stays in force, or its file counts and its
   * table does not.
   */
  readonly isAdmitted: boolean;
}

export interface Peers {
  /** The peers by unique names. */
  readonly peers: readonly PeerConfig[];
  readonly problems: readonly PeerProblem[];
}

export function peersFolder(file: string): string {
  return join(dirname(file), "peers");
}

export function pathOfPeer(file: string, name: string): string {
  return join(peersFolder(file), fileNameOf(name));
}

/** The names of all peers with a file, faulty or not. @throws ConfigError */
export function namesInFolder(file: string): string[] {
  const found = listFolder(peersFolder(file)).map(peerOfFileName);
  return found.flatMap((each) => (each && "peer" in each ? [each.peer] : []));
}

/**
 * All peers of a remote.toml with these `[[peer]]` tables. When a peer has a file and a table, the file counts. `known`
 * are the peers that are admitted so far: a peer whose file is faulty stays as it was.
 * @throws ConfigError when the folder cannot be listed
 */
export function readPeers(
  file: string,
  tables: readonly PeerConfig[],
  known: readonly PeerConfig[] = [],
): Peers {
  const problems: PeerProblem[] = [];
  const peers = new Map(tables.map((table) => [table.name, table]));
  const named = new Map(known.map((peer) => [peer.name, peer]));
  for (const entry of listFolder(peersFolder(file))) {
    const said = peerOfFileName(entry);
    const path = join(peersFolder(file), entry);
    if (said && "problem" in said) problems.push(strayFile(path, said.problem));
    if (!said || "problem" in said) continue;
    const { peer: name } = said;
    try {
      const peer = readPeer(path, name);
      const table = tables.findIndex((each) => each.name === name);
      if (table >= 0) problems.push(saidTwice(file, table, path, name));
      peers.set(name, peer);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      const before = named.get(name) ?? peers.get(name);
      if (before) peers.set(name, before);
      problems.push({ peer: name, findings: error.findings, isAdmitted: before !== undefined });
    }
  }
  const byName = [...peers.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  return { peers: Object.freeze(byName), problems };
}

/** Reads one peer's file, which must be safe and valid. @throws ConfigError */
export function readPeer(path: string, name: string): PeerConfig {
  const read = readTextFile(path);
  const what = whyForeign(path, read) ?? whyExposed(path, read);
  if (what !== undefined) throw new ConfigError(ErrorCode.secretExposed, [{ file: path, key: "", what }]);
  return parsePeerFile(read.text, path, name);
}

function strayFile(path: string, problem: string): PeerProblem {
  const what = `the name of the file is the peer's, and ${problem}; rename it, or move it away`;
  return { peer: undefined, findings: [{ file: path, key: "", what }], isAdmitted: false };
}

function saidTwice(file: string, table: number, path: string, name: string): PeerProblem {
  const what = `${JSON.stringify(name)} has a file, too, which counts: ${path}; delete this table`;
  return { peer: name, findings: [{ file, key: `peer[${table}]`, what }], isAdmitted: true };
}
