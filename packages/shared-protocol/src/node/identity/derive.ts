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

/** The bearer token that `hawser-local connect` shows to its gateway: both know the PSK. base64url. */
export function deriveConnectToken(psk: Secret): string {
  return derive(psk, Buffer.alloc(0), "hawser/1 connect").revealBase64url();
}

function derive(input: Secret, salt: Buffer, info: string): Secret {
  return Secret.fromBytes(new Uint8Array(hkdfSync("sha256", input.reveal(), salt, info, SECRET_LENGTH)));
}
