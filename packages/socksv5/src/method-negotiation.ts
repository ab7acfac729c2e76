/** The greeting and the choice of the authentication method (RFC 1928 section 3). */

import { SOCKS_VERSION, SocksMethod } from "./constants.ts";
import { hexByte, type SocksError, SocksErrorCode, socksError } from "./errors.ts";
import { done, failed, MORE, type Parsed } from "./parsed.ts";

/**
 * The methods the client offers.
 * ```
 * VER(1) = 5 | NMETHODS(1) | METHODS(NMETHODS)
 * ```
 */
export function parseGreeting(bytes: Uint8Array): Parsed<Uint8Array> {
  const [version, count] = bytes;
  if (version === undefined) return MORE;
  if (version !== SOCKS_VERSION) return failed(wrongVersion(version));
  if (count === undefined || bytes.length < 2 + count) return MORE;
  return done(bytes.subarray(2, 2 + count), 2 + count);
}

/** The first byte tells most clients that were pointed at the wrong kind of port. */
function wrongVersion(byte: number): SocksError {
  const says = (text: string) => socksError(SocksErrorCode.version, text);
  if (byte === 0x04) return says("the client speaks SOCKS4; set it to SOCKS5 (socks5:// or socks5h://)");
  if (byte >= 0x41 && byte <= 0x5a) {
    const letter = String.fromCharCode(byte);
    return says(
      `the client sent '${letter}', which looks like HTTP; set it to a SOCKS5 proxy, not an HTTP one`,
    );
  }
  if (byte === 0x16) return says("the client speaks TLS; this port takes plain SOCKS5");
  return says(`the first byte is ${hexByte(byte)}, not SOCKS version 0x05`);
}

/**
 * Exactly one method is ever acceptable: the password when users are configured, none otherwise.
 * Falling back to no authentication would let everyone in.
 */
export function chooseMethod(offered: Uint8Array, passwordRequired: boolean): SocksMethod {
  const wanted = passwordRequired ? SocksMethod.password : SocksMethod.noAuthentication;
  return offered.includes(wanted) ? wanted : SocksMethod.noneAcceptable;
}

/** `VER(1) = 5 | METHOD(1)` */
export function encodeMethodChoice(method: SocksMethod): Uint8Array {
  return Uint8Array.of(SOCKS_VERSION, method);
}
