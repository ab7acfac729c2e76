/** What a SOCKS client writes. */
import { encodeAddress } from "socksv5";

/** Its greeting, without authentication (RFC 1928, section 3). */
export const NO_AUTH = Buffer.of(5, 1, 0);

/** Asks for a connection (RFC 1928, section 4). */
export function connectRequest(host: string, port: number): Buffer {
  return Buffer.concat([Buffer.of(5, 1, 0), encodeAddress(host, port) as Uint8Array]);
}

/** Both at once, as a client may that knows what will be answered. */
export function greetAndConnect(host: string, port: number): Buffer {
  return Buffer.concat([NO_AUTH, connectRequest(host, port)]);
}
