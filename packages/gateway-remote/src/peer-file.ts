/** The text of one peer: in a file of its own, peers/NAME.toml, or in a `[[peer]]` table of remote.toml. */

import {
  formatToml,
  nameField,
  parseConfig,
  sizeField,
  textField,
  timeField,
} from "@hawser/gateway-kit/schema";
import { parseName, parseSecretText } from "@hawser/shared-protocol";
import { z } from "zod";
import { parseAllowRule, parseDenyRule } from "./authorization/rules.ts";

/** With less, one stream's window could not be carried and grow. */
const MIN_BYTES_IN_FLIGHT = 2 ** 20;
const SUFFIX = ".toml";

export const allowField = z.array(textField(parseAllowRule));
export const denyField = z.array(textField(parseDenyRule)).default([]);

const keyField = textField(parseSecretText);

const settings = {
  key: keyField,
  /** During a rotation: the key before, and its end at the latest. See peer-keys.ts. */
  old_key: keyField.optional(),
  old_key_until: timeField.optional(),
  /** Replaces the common `allow`. */
  allow: allowField.optional(),
  /** Adds to the common `deny`. */
  deny: denyField,
  /** The default is what one session carries: a home with 100 devices has some thousands of flows. */
  max_flows: z.int().min(1).default(16_384),
  max_new_flows_per_second: z.int().min(1).default(2_000),
  /** The most bytes of flows that this gateway holds in each direction. */
  max_bytes_in_flight: sizeField(MIN_BYTES_IN_FLIGHT).optional(),
};

/** A peer's file: the name of the file is the peer's. */
export const peerFileSchema = z
  .strictObject(settings)
  .refine(hasWholeRotation, "needs both old_key and old_key_until, or neither")
  .transform(limitsAsNamedHere);

/** A `[[peer]]` table, which names the peer itself. */
export const peerTable = z
  .strictObject({ name: nameField, ...settings })
  .refine(hasWholeRotation, "needs both old_key and old_key_until, or neither")
  .transform(limitsAsNamedHere);

export type PeerConfig = z.output<typeof peerTable>;

function hasWholeRotation(peer: { readonly old_key?: unknown; readonly old_key_until?: unknown }): boolean {
  return (peer.old_key === undefined) === (peer.old_key_until === undefined);
}

interface WrittenLimits {
  readonly max_flows: number;
  readonly max_new_flows_per_second: number;
  readonly max_bytes_in_flight?: number | undefined;
}

function limitsAsNamedHere<T extends WrittenLimits>(written: T) {
  const { max_flows, max_new_flows_per_second, max_bytes_in_flight, ...peer } = written;
  return {
    ...peer,
    maxFlows: max_flows,
    maxNewFlowsPerSecond: max_new_flows_per_second,
    maxBytesInFlight: max_bytes_in_flight,
  };
}

/** Parses a peer's file; the result is frozen. Findings call the text `file`. @throws ConfigError */
export function parsePeerFile(text: string, file: string, name: string): PeerConfig {
  return Object.freeze({ name, ...parseConfig(text, file, peerFileSchema) });
}

/**
 * The name of a peer's file. Each peer's name has one, `.` and `..` included: with its suffix it leads to no other
 * folder.
 */
export function fileNameOf(peer: string): string {
  return `${peer}${SUFFIX}`;
}

/** Reads a file's name. Hidden files and those with other endings give undefined. */
export function peerOfFileName(name: string): { peer: string } | { problem: string } | undefined {
  if (!name.endsWith(SUFFIX)) return undefined;
  const peer = parseName(name.slice(0, -SUFFIX.length));
  if (peer.ok) return { peer: peer.value };
  return name.startsWith(".") ? undefined : { problem: peer.problem };
}

/** The text of a peer's file: comments, then what its table says. */
export function renderPeer(table: object, comments: readonly string[] = []): string {
  return `${comments.map((line) => `${line}\n`).join("")}${formatToml(table)}`;
}

/** The lines of a TOML text that are comments. */
export function commentsIn(text: string): string[] {
  return text.split(/\r?\n/).filter((line) => /^\s*#/.test(line));
}
