/** remote.toml and the folder peers/ beside it: what they may say, and what the gateway makes of it. */

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

/** Where the status server listens when nothing is said. */
const STATUS_LISTEN = "127.0.0.1:8081";

/** What every peer may reach; see authorization/policy.ts. */
const egressTable = z.strictObject({ allow: allowField.prefault(["public"]), deny: denyField }).prefault({});

export const remoteSchema = z.strictObject({
  listen: listenListField,
  /** Where pairing lines say that this gateway is reached; without it see `reachOf`. */
  advertise: z.array(endpointField).default([]),
  identity: z.string().min(1).default("identity.pem"),
  status: statusField(STATUS_LISTEN),
  egress: egressTable,
  peer: z.array(peerTable).default([]).superRefine(refuseDuplicates("peer", "name")),
  limits: limitsField,
});

export type RemoteFile = z.output<typeof remoteSchema>;

/** Frozen. There may be no peers yet. */
export interface RemoteConfig extends Peers {
  readonly listen: RemoteFile["listen"];
  readonly advertise: RemoteFile["advertise"];
  readonly identity: Secret;
  readonly egress: RemoteFile["egress"];
  readonly status: StatusConfig;
  readonly limits: RemoteFile["limits"];
}

/**
 * Reads remote.toml, the identity that it names, relative to itself, and the peers' files. What is wrong with a peer's
 * file is in `problems`; `known` are the peers that are admitted so far, see `readPeers`.
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

/** As `loadRemoteConfig`; a wrong file of a peer's is an error, too. @throws CodedError */
export function checkRemoteConfig(file: string): void {
  const { problems } = loadRemoteConfig(file);
  const findings = problems.flatMap((problem) => problem.findings);
  if (findings.length > 0) throw new ConfigError(ErrorCode.configInvalid, findings);
}

/** Who is admitted; the identity is not read. @throws CodedError */
export function loadPeers(file: string): Peers {
  return readPeers(file, loadRemoteFile(file).peer);
}

/** Follows remote.toml and the peers' files. What is broken is reported, and what was in force stays. */
export function watchRemoteConfig(
  file: string,
  known: () => readonly PeerConfig[],
  handlers: WatchHandlers<RemoteConfig>,
): ConfigWatch {
  const paths = [file, peersFolder(file)].map((path) => resolve(path));
  return watchConfig(paths, () => loadRemoteConfig(file, known()), handlers);
}

/** Where the gateway that runs with this file answers, even if the file is broken by now. */
export function findRemoteStatus(file: string): StatusConfig {
  return findStatus(file, (whole) => loadStatus(whole, loadRemoteFile(whole).status), STATUS_LISTEN);
}

/** remote.toml alone. @throws ConfigError */
export function loadRemoteFile(file: string): RemoteFile {
  const whenMissing = `run: hawser-remote init --listen '[::]:4433' -c ${file}`;
  return loadConfig(file, remoteSchema, { secretAt, whenMissing });
}

/** As `loadRemoteFile`, from a text; `file` is what findings call it. @throws ConfigError */
export function parseRemoteFile(text: string, file: string): RemoteFile {
  return parseConfig(text, file, remoteSchema);
}

/** The identity that a remote.toml names. @throws CodedError */
export function identityOf(file: string, { identity }: RemoteFile): Secret {
  return atKey(file, "identity", () => loadIdentity(resolve(dirname(file), identity)));
}

/** A peer's key gives nothing away without the identity, but whoever copies the file need not know that. */
function secretAt(config: RemoteFile): string | undefined {
  return config.peer.length > 0 ? "peer" : statusSecretAt(config);
}
