/** The greeting and the choice of the authentication method (RFC 1928 section 3). */

import { SOCKS_VERSION, SocksMethod } from "./constants.ts";
import { wrongVersion } from "./other-protocols.ts";
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
