import { formatEndpoint, parseEndpoint } from "../text/endpoint.ts";
import { parseName } from "../text/name.ts";
import { type Parsed, parsed, problem } from "../text/parsed.ts";
import type { Endpoint } from "../wire/frames.ts";
import { parseSecretText } from "./identity.ts";
import type { Secret } from "./secret.ts";

/** What a local gateway must know of its remote. */
export interface Pairing {
  /** The local gateway's name at the remote: its PSK identity. */
  readonly name: string;
  readonly psk: Secret;
  /** Where the remote is reached, at least one; in the order in which they are to be tried. */
  readonly endpoints: readonly Endpoint[];
}

const SCHEME = "hawser://";

/** `hawser://NAME:PSK@HOST:PORT[,HOST:PORT...]`: a secret, to be shown to nobody but the user who asked for it. */
export function formatPairing({ name, psk, endpoints }: Pairing): string {
  return `${SCHEME}${name}:${psk.revealBase64url()}@${endpoints.map(formatEndpoint).join(",")}`;
}

/** Problems name the part that is wrong, and never quote what could be the secret or a piece of it. */
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
    // Not quoted: in a line whose parts were swapped this is where the key stands.
    if (!endpoint.ok) return problem(`endpoint ${i + 1} is not HOST:PORT or [IPV6]:PORT`);
    endpoints.push(endpoint.value);
  }
  return parsed({ name: name.value, psk: psk.value, endpoints });
}
