/** The bytes that a SOCKS client writes. */
import { encodeAddress } from "socksv5";

/** A greeting without authentication (RFC 1928, section 3). */
export const NO_AUTH = Buffer.of(5, 1, 0);

/** A request for a connection (RFC 1928, section 4). */
export function connectRequest(host: string, port: number): Buffer {
  return Buffer.concat([Buffer.of(5, 1, 0), encodeAddress(host, port) as Uint8Array]);
}

/** Greeting and request at once. A client may send both when it knows the answer to the greeting. */
export function greetAndConnect(host: string, port: number): Buffer {
  return Buffer.concat([NO_AUTH, connectRequest(host, port)]);
}
