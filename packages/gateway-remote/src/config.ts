/**
 * The configuration file remote.toml and the folder peers/ beside it: the schema, and the configuration that the
 * gateway makes of both.
 */

import { dirname, resolve } from "node:path";
import {
  atKey,
  ConfigError,
  type ConfigWatch,
  ErrorCode,
  loadIdentity,
  type StatusConfig,
  type WatchHandlers,
  watchConfig,
} from "@hawser/gateway-kit/config";
import {
  endpointField,
  findStatus,
  limitsField,
  listenListField,
  loadConfig,
  loadStatus,
  parseConfig,
  refuseDuplicates,
  statusField,
  statusSecretAt,
} from "@hawser/gateway-kit/schema";
import type { Secret } from "@hawser/shared-protocol";
import { z } from "zod";
import { allowField, denyField, type PeerConfig, peerTable } from "./peer-file.ts";
import { type Peers, peersFolder, readPeers } from "./peer-folder.ts";

/** The status server's default address. */
const STATUS_LISTEN = "127.0.0.1:8081";

/** The destinations that every peer may reach; see authorization/policy.ts. */
const egressTable = z.strictObject({ allow: allowField.prefault(["public"]), deny: denyField }).prefault({});

export const remoteSchema = z.strictObject({
  listen: listenListField,
  /** The addresses of this gateway that pairing lines give; without them see `reachOf`. */
  advertise: z.array(endpointField).default([]),
  identity: z.string().min(1).default("identity.pem"),
  status: statusField(STATUS_LISTEN),
  egress: egressTable,
  peer: z.array(peerTable).default([]).superRefine(refuseDuplicates("peer", "name")),
  limits: limitsField,
});

export type RemoteFile = z.output<typeof remoteSchema>;

/** The configuration, frozen. It may have no peers. */
export interface RemoteConfig extends Peers {
  readonly listen: RemoteFile["listen"];
  readonly advertise: RemoteFile["advertise"];
  readonly identity: Secret;
  readonly egress: RemoteFile["egress"];
  readonly status: StatusConfig;
  readonly limits: RemoteFile["limits"];
}

/**
 * Reads remote.toml, the identity that remote.toml names relative to itself, and the peers' files. The faults of a
 * peer's file are in `problems`. `known` are the peers that are admitted so far, see `readPeers`.
 * @throws CodedError with every finding; exit code 2.
 */
export function loadRemoteConfig(file: string, known?: readonly PeerConfig[]): RemoteConfig {
  const written = loadRemoteFile(file);
  const { listen, advertise, egress, limits } = written;
  const identity = identityOf(file, written);
  const status = loadStatus(file, written.status);
  const { peers, problems } = readPeers(file, written.peer, known);
  return Object.freeze({ listen, advertise, identity, peers, problems, egress, status, limits });
}

/** As `loadRemoteConfig`, but a faulty file of a peer is an error, too. @throws CodedError */
export function checkRemoteConfig(file: string): void {
  const { problems } = loadRemoteConfig(file);
  const findings = problems.flatMap((problem) => problem.findings);
  if (findings.length > 0) throw new ConfigError(ErrorCode.configInvalid, findings);
}

/** The admitted peers. The identity is not read. @throws CodedError */
export function loadPeers(file: string): Peers {
  return readPeers(file, loadRemoteFile(file).peer);
}

/** Follows remote.toml and the peers' files. Faults are reported, and what was in force stays. */
export function watchRemoteConfig(
  file: string,
  known: () => readonly PeerConfig[],
  handlers: WatchHandlers<RemoteConfig>,
): ConfigWatch {
  const paths = [file, peersFolder(file)].map((path) => resolve(path));
  return watchConfig(paths, () => loadRemoteConfig(file, known()), handlers);
}

/** The status address of the gateway that runs with this file. The file may be broken by now. */
export function findRemoteStatus(file: string): StatusConfig {
  return findStatus(file, (whole) => loadStatus(whole, loadRemoteFile(whole).status), STATUS_LISTEN);
}

/** Reads remote.toml alone. @throws ConfigError */
export function loadRemoteFile(file: string): RemoteFile {
  const whenMissing = `run: hawser-remote init --listen '[::]:4433' -c ${file}`;
  return loadConfig(file, remoteSchema, { secretAt, whenMissing });
}

/** As `loadRemoteFile`, from a text. Findings call the text `file`. @throws ConfigError */
export function parseRemoteFile(text: string, file: string): RemoteFile {
  return parseConfig(text, file, remoteSchema);
}

/** The identity that a remote.toml names. @throws CodedError */
export function identityOf(file: string, { identity }: RemoteFile): Secret {
  return atKey(file, "identity", () => loadIdentity(resolve(dirname(file), identity)));
}

/** A peer's key is worth nothing without the identity, but someone who copies the file need not know that. */
function secretAt(config: RemoteFile): string | undefined {
  return config.peer.length > 0 ? "peer" : statusSecretAt(config);
}
