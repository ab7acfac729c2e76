import { formatEndpoint, parseEndpoint } from "../text/endpoint.ts";
import { parseName } from "../text/name.ts";
import { type Parsed, parsed, problem } from "../text/parsed.ts";
import type { Endpoint } from "../wire/frames.ts";
import { parseSecretText } from "./identity.ts";
import type { Secret } from "./secret.ts";

/** What a local gateway must know of its remote gateway. */
export interface Pairing {
  /** The name by which the remote gateway knows the local one. */
  readonly name: string;
  /** The pre-shared key, 32 bytes. */
  readonly psk: Secret;
  /** Where the remote gateway is reached: at least one endpoint, in the order to try them in. */
  readonly endpoints: readonly Endpoint[];
}

const SCHEME = "hawser://";

/** Writes `hawser://NAME:KEY@HOST:PORT[,HOST:PORT...]`. The line is a secret: show it to the user who asked for it alone. */
export function formatPairing({ name, psk, endpoints }: Pairing): string {
  return `${SCHEME}${name}:${psk.revealBase64url()}@${endpoints.map(formatEndpoint).join(",")}`;
}

/** Reads a pairing line. A problem names the part that is wrong, and never quotes what could be a piece of the secret. */
export function parsePairing(text: string): Parsed<Pairing> {
  const line = text.trim();
  if (line === "") return problem("is empty; a pairing line begins with hawser://");
  if (!line.startsWith(SCHEME)) return problem("is not a pairing line: it does not begin with hawser://");
  if (/\s/.test(line)) return problem("is not one pairing line: it has a space or a line break in it");
  const at = line.lastIndexOf("@");
  if (at < 0) return problem('is cut off: it has no "@" before the endpoints');
  const user = line.slice(SCHEME.length, at);
  const colon = user.indexOf(":");
  if (colon < 0) return problem('has no ":" between the name and the key');
  const name = parseName(user.slice(0, colon));
  if (!name.ok) return problem("has no valid name before the key (1 to 64 of A-Z a-z 0-9 . _ -)");
  const psk = parseSecretText(user.slice(colon + 1));
  if (!psk.ok) return problem(`has a damaged key: it ${psk.problem}`);
  const endpoints: Endpoint[] = [];
  for (const [i, part] of line
    .slice(at + 1)
    .split(",")
    .entries()) {
    const endpoint = parseEndpoint(part);
    // Not quoted: when the parts of a line were swapped, the key stands here.
    if (!endpoint.ok) return problem(`endpoint ${i + 1} is not HOST:PORT or [IPV6]:PORT`);
    endpoints.push(endpoint.value);
  }
  return parsed({ name: name.value, psk: psk.value, endpoints });
}
