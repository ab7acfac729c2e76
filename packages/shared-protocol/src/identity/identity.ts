import { randomBytes } from "node:crypto";
import { type Parsed, parsed, problem } from "../text/parsed.ts";
import { SECRET_LENGTH } from "./derive.ts";
import { Secret } from "./secret.ts";

const BEGIN = "-----BEGIN HAWSER IDENTITY-----";
const END = "-----END HAWSER IDENTITY-----";

/** A new secret of 32 random bytes: an identity or a peer's key. */
export function generateSecret(): Secret {
  return Secret.fromBytes(randomBytes(SECRET_LENGTH));
}

/** The text of an identity file: the 32 bytes in base64, between PEM's lines (RFC 7468). */
export function formatIdentity(identity: Secret): string {
  return `${BEGIN}\n${identity.reveal().toString("base64")}\n${END}\n`;
}

/** Reads the text of an identity file. A problem does not quote the text. */
export function parseIdentity(text: string): Parsed<Secret> {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const begin = lines.indexOf(BEGIN);
  const end = lines.indexOf(END, begin);
  if (begin < 0 || end < 0) return problem(`is not an identity: no "${BEGIN}" ... "${END}"`);
  const body = lines.slice(begin + 1, end).join("");
  const bytes = Buffer.from(body, "base64");
  if (bytes.length !== SECRET_LENGTH || bytes.toString("base64") !== body) {
    return problem(`is not an identity: its body is not the base64 of ${SECRET_LENGTH} bytes`);
  }
  return parsed(Secret.fromBytes(bytes));
}

/** Reads a key: 32 bytes in base64url without padding (RFC 4648, section 5). A problem does not quote the text. */
export function parseSecretText(text: string): Parsed<Secret> {
  const bytes = Buffer.from(text, "base64url");
  if (bytes.length !== SECRET_LENGTH || bytes.toString("base64url") !== text) {
    return problem(`is not ${SECRET_LENGTH} bytes of base64url (43 characters A-Z a-z 0-9 - _)`);
  }
  return parsed(Secret.fromBytes(bytes));
}
