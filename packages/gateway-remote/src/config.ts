/** remote.toml: what it may say, and what the gateway makes of it. */

import { dirname, resolve } from "node:path";
import {
  endpointField,
  limitsField,
  listenField,
  loadConfig,
  loadIdentity,
  nameField,
  parseConfig,
  parseSecretText,
  refuseDuplicates,
  type Secret,
  statusField,
  textField,
  timeField,
  z,
} from "@hawser/shared-protocol/node";

const keyField = textField(parseSecretText);

const peerTable = z
  .strictObject({
    name: nameField,
    key: keyField,
    /** While the key is rotated: the one before, and how long it is good for at most. See peer-keys.ts. */
    old_key: keyField.optional(),
    old_key_until: timeField.optional(),
  })
  .refine(
    (peer) => (peer.old_key === undefined) === (peer.old_key_until === undefined),
    "needs both old_key and old_key_until, or neither",
  );

const remoteSchema = z.strictObject({
  listen: z.array(listenField).min(1),
  /** Where pairing lines say that this gateway is reached; without it they say `listen`. */
  advertise: z.array(endpointField).default([]),
  identity: z.string().min(1).default("identity.pem"),
  status: statusField("127.0.0.1:8081"),
  peer: z.array(peerTable).default([]).superRefine(refuseDuplicates("name")),
  limits: limitsField,
});

export type RemoteFile = z.output<typeof remoteSchema>;
export type PeerConfig = RemoteFile["peer"][number];

/** Frozen. */
export interface RemoteConfig {
  readonly listen: RemoteFile["listen"];
  readonly advertise: RemoteFile["advertise"];
  readonly identity: Secret;
  /** Names are unique; there may be none yet. */
  readonly peers: readonly PeerConfig[];
  readonly status: RemoteFile["status"];
  readonly limits: RemoteFile["limits"];
}

/**
 * Reads remote.toml and the identity that it names, relative to itself.
 * @throws CodedError with every finding; exit code 2.
 */
export function loadRemoteConfig(file: string): RemoteConfig {
  return withIdentity(file, loadConfig(file, remoteSchema, { secretAt }));
}

/** Keys give nothing away without the identity, but whoever copies the file need not know that. */
function secretAt({ peer }: RemoteFile): string | undefined {
  return peer.length > 0 ? "peer" : undefined;
}

/** remote.toml alone, from its text; `file` is what findings call it. @throws ConfigError */
export function parseRemoteFile(text: string, file: string): RemoteFile {
  return parseConfig(text, file, remoteSchema);
}

/** The configuration that a parsed file and its identity make. @throws CodedError when the identity cannot be read. */
export function withIdentity(file: string, parsed: RemoteFile): RemoteConfig {
  const { listen, advertise, peer, status, limits } = parsed;
  const identity = loadIdentity(resolve(dirname(file), parsed.identity));
  return Object.freeze({ listen, advertise, identity, peers: peer, status, limits });
}
