/** remote.toml: what it may say, and what the gateway makes of it. */

import { dirname, resolve } from "node:path";
import { atKey, loadIdentity, type StatusConfig } from "@hawser/gateway-kit/config";
import {
  endpointField,
  findStatus,
  limitsField,
  listenListField,
  loadConfig,
  loadStatus,
  nameField,
  parseConfig,
  refuseDuplicates,
  sizeField,
  statusField,
  statusSecretAt,
  textField,
  timeField,
} from "@hawser/gateway-kit/schema";
import { parseSecretText, type Secret } from "@hawser/shared-protocol";
import { z } from "zod";
import { parseAllowRule, parseDenyRule } from "./authorization/rules.ts";

/** Less would not carry one stream's window and what it grows by. */
const MIN_BYTES_IN_FLIGHT = 2 ** 20;
/** Where the status server listens when nothing is said. */
const STATUS_LISTEN = "127.0.0.1:8081";

const allow = z.array(textField(parseAllowRule));
const deny = z.array(textField(parseDenyRule)).default([]);

/** What every peer may reach; see authorization/policy.ts. */
const egressTable = z.strictObject({ allow: allow.prefault(["public"]), deny }).prefault({});

const keyField = textField(parseSecretText);

const peerTable = z
  .strictObject({
    name: nameField,
    key: keyField,
    /** While the key is rotated: the one before, and how long it is good for at most. See peer-keys.ts. */
    old_key: keyField.optional(),
    old_key_until: timeField.optional(),
    /** In the place of the common one. */
    allow: allow.optional(),
    /** Besides the common one. */
    deny,
    /** As many as one session carries: a home with 100 devices has some thousands. */
    max_flows: z.int().min(1).default(16_384),
    max_new_flows_per_second: z.int().min(1).default(2_000),
    /** Bytes of flows that this gateway holds, each way. */
    max_bytes_in_flight: sizeField(MIN_BYTES_IN_FLIGHT).optional(),
  })
  .refine(
    (peer) => (peer.old_key === undefined) === (peer.old_key_until === undefined),
    "needs both old_key and old_key_until, or neither",
  )
  .transform(({ max_flows, max_new_flows_per_second, max_bytes_in_flight, ...peer }) => ({
    ...peer,
    maxFlows: max_flows,
    maxNewFlowsPerSecond: max_new_flows_per_second,
    maxBytesInFlight: max_bytes_in_flight,
  }));

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
export type PeerConfig = RemoteFile["peer"][number];

/** Frozen. */
export interface RemoteConfig {
  readonly listen: RemoteFile["listen"];
  readonly advertise: RemoteFile["advertise"];
  readonly identity: Secret;
  /** Names are unique; there may be none yet. */
  readonly peers: readonly PeerConfig[];
  readonly egress: RemoteFile["egress"];
  readonly status: StatusConfig;
  readonly limits: RemoteFile["limits"];
}

/**
 * Reads remote.toml and the identity that it names, relative to itself.
 * @throws CodedError with every finding; exit code 2.
 */
export function loadRemoteConfig(file: string): RemoteConfig {
  return withSecrets(file, loadConfig(file, remoteSchema, { secretAt }));
}

/** Where the gateway that runs with this file answers, even if the file is broken by now. */
export function findRemoteStatus(file: string): StatusConfig {
  return findStatus(file, (whole) => loadRemoteConfig(whole).status, STATUS_LISTEN);
}

/** A peer's key gives nothing away without the identity, but whoever copies the file need not know that. */
function secretAt(config: RemoteFile): string | undefined {
  return config.peer.length > 0 ? "peer" : statusSecretAt(config);
}

/** remote.toml alone, from its text; `file` is what findings call it. @throws ConfigError */
export function parseRemoteFile(text: string, file: string): RemoteFile {
  return parseConfig(text, file, remoteSchema);
}

/** The configuration that a parsed file and the secret ones it names make. @throws CodedError when one cannot be read. */
export function withSecrets(file: string, parsed: RemoteFile): RemoteConfig {
  const { listen, advertise, egress, peer, limits } = parsed;
  const identity = atKey(file, "identity", () => loadIdentity(resolve(dirname(file), parsed.identity)));
  const status = loadStatus(file, parsed.status);
  return Object.freeze({ listen, advertise, identity, peers: peer, egress, status, limits });
}
