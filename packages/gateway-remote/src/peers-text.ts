/** remote.toml as text: what is added and removed leaves the rest, and its comments, as they were. */

import { formatEndpoint, type Secret } from "@hawser/shared-protocol";
import type { RemoteFile } from "./config.ts";

const PEER_HEADER = /^\s*\[\[\s*(peer|"peer"|'peer')\s*\]\]/;
const ANY_HEADER = /^\s*\[/;
const KEY_LINE = /^\s*(key|"key"|'key')\s*=/;
const OLD_KEY_LINE = /^\s*["']?old_key(_until)?["']?\s*=/;
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
    '# Where homes may go. Private, loopback and link-local addresses only if named: allow = ["public", "10.0.0.0/8"]',
    "# [egress]",
    '# allow = ["public"]',
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

/** A peer's keys as they are written. */
export interface WrittenKeys {
  readonly key: Secret;
  readonly old?: { readonly key: Secret; readonly until: Date };
}

/** The text with other keys of its `index`th `[[peer]]`, or undefined when they cannot be found by lines. */
export function replaceKeys(text: string, index: number, { key, old }: WrittenKeys): string | undefined {
  const lines = text.split("\n");
  const block = findBlock(lines, index);
  if (!block) return undefined;
  const inside = lines.slice(block.start, block.end).filter((line) => !OLD_KEY_LINE.test(line));
  const at = inside.findIndex((line) => KEY_LINE.test(line));
  if (at < 0) return undefined;
  const written = [`key = ${JSON.stringify(key.revealBase64url())}`];
  if (old) {
    written.push(`old_key = ${JSON.stringify(old.key.revealBase64url())}`);
    // Whole seconds, as people write it.
    written.push(`old_key_until = ${old.until.toISOString().replace(/\.\d+Z$/, "Z")}`);
  }
  inside.splice(at, 1, ...written);
  lines.splice(block.start, block.end - block.start, ...inside);
  return lines.join("\n");
}

/**
 * The text without its `index`th `[[peer]]`, or undefined when there is no such block (`peer = [...]` is one way).
 * Comments above the block and after its last key stay.
 */
export function cutPeer(text: string, index: number): string | undefined {
  const lines = text.split("\n");
  const block = findBlock(lines, index);
  if (!block) return undefined;
  const { start } = block;
  let { end } = block;
  // One blank line separated the block from its neighbours; the gap would have two.
  if ((lines[start - 1] ?? "") === "" && (lines[end] ?? "") === "" && end < lines.length) end++;
  lines.splice(start, end - start);
  return lines.join("\n");
}

/** The lines of the `index`th `[[peer]]`, from its header to before `end`. */
function findBlock(lines: readonly string[], index: number): { start: number; end: number } | undefined {
  const headers = [...lines.keys()].filter((i) => PEER_HEADER.test(lines[i] ?? ""));
  const start = headers[index];
  if (start === undefined) return undefined;
  let end = start + 1;
  while (end < lines.length && !ANY_HEADER.test(lines[end] ?? "")) end++;
  // What trails the block belongs to the next one, or to the file.
  while (COMMENT_OR_BLANK.test(lines[end - 1] ?? "")) end--;
  return { start, end };
}
