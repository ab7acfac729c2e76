/**
 * Moves peers into files. Earlier releases wrote peers into remote.toml, as `[[peer]]` tables. First every peer's file
 * is written, then remote.toml is replaced by a text without the tables. So wherever the move breaks off, each peer is
 * in one of the two places, or in both with the same key.
 */

import { isDeepStrictEqual } from "node:util";
import { CodedError, ConfigError, ErrorCode, readSecretFile } from "@hawser/gateway-kit/config";
import { createFile, editFile } from "@hawser/gateway-kit/files";
import { parseToml } from "@hawser/gateway-kit/schema";
import { parseRemoteFile } from "./config.ts";
import { commentsIn, type PeerConfig, renderPeer } from "./peer-file.ts";
import { pathOfPeer } from "./peer-folder.ts";

/** Each section of a TOML text begins with such a line. The parser says what the section is. */
const SECTION = /^(?=[ \t]*\[)/m;
const COMMENT_OR_BLANK = /^\s*(#.*)?$/;

/** A `[[peer]]` table: its text, and its parsed values. */
interface Table {
  readonly index: number;
  readonly peer: PeerConfig;
  readonly written: object;
  readonly comments: readonly string[];
}

/**
 * Moves all `[[peer]]` tables of remote.toml into the folder peers/, which must exist. The table of `leaving` is
 * removed, not moved. Returns the names of the moved peers. After an error remote.toml is as before.
 * @throws CodedError CONFIG_UNWRITABLE, CONFIG_BUSY, CONFIG_INVALID, or of a file
 */
export function movePeers(file: string, patienceMs: number, leaving?: string): string[] {
  const moved: string[] = [];
  editFile(
    file,
    (text) => {
      const { rest, tables } = takeTables(file, text);
      for (const table of tables.filter(({ peer }) => peer.name !== leaving)) {
        writePeer(file, table, patienceMs);
        moved.push(table.peer.name);
      }
      return rest;
    },
    patienceMs,
  );
  return moved;
}

function takeTables(file: string, text: string): { rest: string; tables: Table[] } {
  const { peer: peers } = parseRemoteFile(text, file);
  const { peer: tables = [], ...others } = parseToml(text, file);
  const { rest, comments } = withoutTables(text);
  // TOML can be written in ways that a search for section headers does not find.
  if (comments.length !== peers.length || !isSame(parsedOrNothing(rest), others)) throw notMovable(file);
  const written = (tables as readonly Record<string, unknown>[]).map(({ name: _name, ...table }) => table);
  return {
    rest,
    tables: peers.map((peer, index) => ({
      index,
      peer,
      written: written[index]!,
      comments: comments[index]!,
    })),
  };
}

/**
 * The text without its `[[peer]]` sections, and the comments within each of these. The rest is byte for byte as before.
 * Comments above a section and after its last key stay.
 */
function withoutTables(text: string): { rest: string; comments: string[][] } {
  const comments: string[][] = [];
  const rest = text.split(SECTION).map((section) => {
    if (!isPeerSection(section)) return section;
    const lines = section.split("\n");
    const end = lines.findLastIndex((line) => !COMMENT_OR_BLANK.test(line)) + 1;
    comments.push(commentsIn(lines.slice(0, end).join("\n")));
    // The blank line after the section separated it from the next one.
    return lines.slice(lines[end]?.trim() === "" ? end + 1 : end).join("\n");
  });
  return { rest: rest.join(""), comments };
}

function isPeerSection(section: string): boolean {
  return Object.keys(parsedOrNothing(section) ?? {}).join() === "peer";
}

/** Compares copies, since the parser's own tables have no prototype. */
function isSame(a: object | undefined, b: object): boolean {
  return a !== undefined && isDeepStrictEqual({ ...a }, { ...b });
}

function parsedOrNothing(text: string): object | undefined {
  try {
    return parseToml(text, "");
  } catch {
    return undefined;
  }
}

/** Writes a peer's file. A file that is already there with the same contents was written by a move that broke off. */
function writePeer(file: string, { index, peer, written, comments }: Table, patienceMs: number): void {
  const path = pathOfPeer(file, peer.name);
  try {
    createFile(path, renderPeer(written, comments), patienceMs);
  } catch (error) {
    if (!(error instanceof CodedError) || error.code !== ErrorCode.configExists) throw error;
    if (isSame(parseToml(readSecretFile(path), path), written)) return;
    const what = `${JSON.stringify(peer.name)} has a file, too, which says something else: ${path}; delete that or this table`;
    throw new ConfigError(ErrorCode.configInvalid, [{ file, key: `peer[${index}]`, what }]);
  }
}

function notMovable(file: string): CodedError {
  const what =
    "its peers are written in a way that this program cannot move into files; write each as a [[peer]] table";
  return new CodedError(ErrorCode.configUnwritable, `${file}: peer: ${what}`);
}
