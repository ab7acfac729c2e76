import { hkdfSync } from "node:crypto";
import { Secret } from "./secret.ts";

/** Length of identities, peer keys, PSKs and tokens, bytes. */
export const SECRET_LENGTH = 32;

/**
 * The pre-shared key of one peer: HKDF-SHA256 (RFC 5869) of the remote gateway's identity, salted with the peer's key. The
 * peer's key alone, which the remote gateway's configuration holds, gives nothing away. A new key makes a new PSK.
 */
export function derivePsk(identity: Secret, peerKey: Secret, name: string): Secret {
  return derive(identity, peerKey.reveal(), `hawser/1 psk ${name}`);
}

/** Length of a key's id, bytes: enough to tell a peer's few keys apart. */
const KEY_ID_LENGTH = 6;

/**
 * The PSK identity that a local gateway shows in the TLS handshake (SPEC.md, section 2): its name, `~`, and the id of its key.
 * A peer has two keys while its secret is rotated. The identity travels in clear; the id gives nothing of the key away.
 */
export function pskIdentity(name: string, psk: Secret): string {
  const id = derive(psk, Buffer.alloc(0), "hawser/1 key id").reveal().subarray(0, KEY_ID_LENGTH);
  return `${name}~${id.toString("base64url")}`;
}

/** The token, base64url, that `hawser-local connect` shows to its running gateway (RFC 6750): both know the PSK. */
export function deriveConnectToken(psk: Secret): string {
  return derive(psk, Buffer.alloc(0), "hawser/1 connect").revealBase64url();
}

function derive(input: Secret, salt: Buffer, info: string): Secret {
  return Secret.fromBytes(new Uint8Array(hkdfSync("sha256", input.reveal(), salt, info, SECRET_LENGTH)));
}
