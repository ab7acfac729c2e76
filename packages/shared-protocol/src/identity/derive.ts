import { hkdfSync } from "node:crypto";
import { Secret } from "./secret.ts";

/** Length of identities, peer keys, PSKs and tokens, bytes. */
export const SECRET_LENGTH = 32;

/**
 * The PSK of one peer: HKDF-SHA256 of the remote gateway's identity, salted with the peer's key. The peer's key
 * stands in remote.toml and gives nothing away without the identity; a new key is a new PSK.
 */
export function derivePsk(identity: Secret, peerKey: Secret, name: string): Secret {
  return derive(identity, peerKey.reveal(), `hawser/1 psk ${name}`);
}

/** Length of a key id, bytes: enough to tell a peer's few keys apart. */
const KEY_ID_LENGTH = 6;

/**
 * What a local gateway claims in the TLS handshake (SPEC.md, section 2): its name and which of its keys it holds. While
 * a secret is rotated there are two. Travels in clear; the key id says nothing of the key.
 */
export function pskIdentity(name: string, psk: Secret): string {
  const id = derive(psk, Buffer.alloc(0), "hawser/1 key id").reveal().subarray(0, KEY_ID_LENGTH);
  return `${name}~${id.toString("base64url")}`;
}

/** The bearer token that `hawser-local connect` shows to its gateway: both know the PSK. base64url. */
export function deriveConnectToken(psk: Secret): string {
  return derive(psk, Buffer.alloc(0), "hawser/1 connect").revealBase64url();
}

function derive(input: Secret, salt: Buffer, info: string): Secret {
  return Secret.fromBytes(new Uint8Array(hkdfSync("sha256", input.reveal(), salt, info, SECRET_LENGTH)));
}
