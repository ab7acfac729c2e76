/** Writes the files of `hawser-remote init`. */

import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { CodedError, ErrorCode } from "@hawser/gateway-kit/config";
import { createFile, listFolder, makeFolder, removeFile } from "@hawser/gateway-kit/files";
import { type Endpoint, formatEndpoint, formatIdentity, generateSecret } from "@hawser/shared-protocol";
import { peersFolder } from "./peer-folder.ts";
import { reachOf } from "./reach.ts";

export interface InitOptions {
  readonly listen: Endpoint;
  /** The addresses where local gateways reach this gateway; when empty, see `reachOf`. */
  readonly advertise: readonly Endpoint[];
}

/**
 * Writes a configuration, and beside it `identity.pem` and the folder peers/, all readable by their owner alone (see
 * `createFile`). Returns a note for the user about what is still to be done before peers are paired. After an error
 * neither file is left behind.
 * @throws CodedError CONFIG_EXISTS when one of the files exists, CONFIG_UNWRITABLE
 */
export function initConfig(file: string, options: InitOptions): string | undefined {
  const written = { listen: [options.listen], advertise: [...options.advertise] };
  refuseExisting(file);
  const identity = join(dirname(file), "identity.pem");
  createFile(identity, formatIdentity(generateSecret()));
  try {
    makeFolder(peersFolder(file));
    createFile(file, renderConfig(written));
  } catch (error) {
    removeFile(identity);
    throw error;
  }
  return reachOf(written).note;
}

/** Checked first, so that a second `init` does not leave a new identity beside an old configuration or old peers. */
function refuseExisting(file: string): void {
  const identity = join(dirname(file), "identity.pem");
  const folder = peersFolder(file);
  const anotherFolder = "each gateway has a folder of its own; write the configuration into another";
  if (existsSync(file)) throw existing(file, "exists already; name another file, or move it away");
  if (existsSync(identity))
    throw existing(
      identity,
      `exists already, of another configuration: ${anotherFolder}, or move the identity away`,
    );
  if (existsSync(folder) && listFolder(folder).length > 0)
    throw existing(folder, `has peers of another configuration: ${anotherFolder}, or move it away`);
}

function existing(path: string, what: string): CodedError {
  return new CodedError(ErrorCode.configExists, `${path}: ${what}`);
}

function renderConfig({ listen, advertise }: Record<"listen" | "advertise", readonly Endpoint[]>): string {
  const list = (endpoints: readonly Endpoint[]): string =>
    `[${endpoints.map((endpoint) => JSON.stringify(formatEndpoint(endpoint))).join(", ")}]`;
  return [
    "# Where local gateways connect to.",
    `listen = ${list(listen)}`,
    "# Where they reach it, as pairing lines say: the public address or name.",
    `${advertise.length > 0 ? "" : "# "}advertise = ${list(advertise)}`,
    'identity = "identity.pem"',
    "",
    '# Where homes may go. Private, loopback and link-local addresses only if named: allow = ["public", "10.0.0.0/8"]',
    "# [egress]",
    '# allow = ["public"]',
    "",
    "[status]",
    'listen = "127.0.0.1:8081"',
    "",
    "# The homes are files in the folder peers: `hawser-remote pair NAME` writes peers/NAME.toml, `unpair NAME` removes it.",
    "",
  ].join("\n");
}
