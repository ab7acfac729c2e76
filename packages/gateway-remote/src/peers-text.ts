/** remote.toml as text: what is added and removed leaves the rest, and its comments, as they were. */

import { formatEndpoint, type Secret } from "@hawser/shared-protocol/node";
import type { RemoteFile } from "./config.ts";

const PEER_HEADER = /^\s*\[\[\s*(peer|"peer"|'peer')\s*\]\]/;
const ANY_HEADER = /^\s*\[/;
const COMMENT_OR_BLANK = /^\s*(#.*)?$/;

/** What `init` writes. */
export function renderConfig({ listen, advertise }: Pick<RemoteFile, "listen" | "advertise">): string {
  const list = (endpoints: RemoteFile["listen"]): string =>
    `[${endpoints.map((endpoint) => JSON.stringify(formatEndpoint(endpoint))).join(", ")}]`;
  return [
    "# Where local gateways connect to.",
    `listen = ${list(listen)}`,
    "# Where they reach it, as pairing lines say: the public address or name.",
    `${advertise.length > 0 ? "" : "# "}advertise = ${list(advertise)}`,
    'identity = "identity.pem"',
    "",
    "[status]",
    'listen = "127.0.0.1:8081"',
    "",
    "# Written by `hawser-remote pair NAME`, removed by `hawser-remote unpair NAME`.",
    "",
  ].join("\n");
}

/** The text with one more peer at its end. */
export function appendPeer(text: string, name: string, key: Secret): string {
  const gap = text === "" || text.endsWith("\n\n") ? "" : text.endsWith("\n") ? "\n" : "\n\n";
  return `${text}${gap}[[peer]]\nname = ${JSON.stringify(name)}\nkey = ${JSON.stringify(key.revealBase64url())}\n`;
}

/**
 * The text without its `index`th `[[peer]]`, or undefined when there is no such block (`peer = [...]` is one way).
 * Comments above the block and after its last key stay.
 */
export function cutPeer(text: string, index: number): string | undefined {
  const lines = text.split("\n");
  const headers = [...lines.keys()].filter((i) => PEER_HEADER.test(lines[i] ?? ""));
  const start = headers[index];
  if (start === undefined) return undefined;
  let end = start + 1;
  while (end < lines.length && !ANY_HEADER.test(lines[end] ?? "")) end++;
  // What trails the block belongs to the next one, or to the file.
  while (COMMENT_OR_BLANK.test(lines[end - 1] ?? "")) end--;
  // One blank line separated the block from its neighbours; the gap would have two.
  if ((lines[start - 1] ?? "") === "" && (lines[end] ?? "") === "" && end < lines.length) end++;
  lines.splice(start, end - start);
  return lines.join("\n");
}
