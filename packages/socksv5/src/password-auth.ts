/** Username and password (RFC 1929). */

import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { PASSWORD_VERSION, type PasswordStatus } from "./constants.ts";
import { hexByte, SocksErrorCode, socksError } from "./errors.ts";
import { decodeUtf8, done, failed, MORE, type Parsed } from "./parsed.ts";

export interface PasswordRequest {
  readonly user: string;
  readonly password: string;
}

/** Says whether this user with this password may pass. */
export type Authenticate = (user: string, password: string) => boolean;

/**
 * RFC 1929 section 2; both lengths are 1 to 255.
 * ```
 * VER(1) = 1 | ULEN(1) | UNAME(ULEN) | PLEN(1) | PASSWD(PLEN)
 * ```
 */
export function parsePasswordRequest(bytes: Uint8Array): Parsed<PasswordRequest> {
  const [version, userLength] = bytes;
  if (version === undefined) return MORE;
  if (version !== PASSWORD_VERSION) return malformed(`version ${hexByte(version)} instead of 0x01`);
  if (userLength === undefined) return MORE;
  if (userLength === 0) return malformed("the user name is empty");
  const userEnd = 2 + userLength;
  const passwordLength = bytes[userEnd];
  if (passwordLength === undefined) return MORE;
  if (passwordLength === 0) return malformed("the password is empty");
  const end = userEnd + 1 + passwordLength;
  if (bytes.length < end) return MORE;
  const user = decodeUtf8(bytes.subarray(2, userEnd));
  const password = decodeUtf8(bytes.subarray(userEnd + 1, end));
  if (user === undefined || password === undefined) return malformed("user name or password is not UTF-8");
  return done({ user, password }, end);
}

function malformed(what: string): Parsed<PasswordRequest> {
  return failed(socksError(SocksErrorCode.authMalformed, `password request: ${what}`));
}

/**
 * A check against a table of users. Passwords are compared as keyed digests of equal length with
 * `timingSafeEqual`, and an unknown user costs the same comparison, so that time tells neither the
 * password's length nor its beginning. The key is drawn here: the digests mean nothing elsewhere.
 */
export function passwordTable(users: Readonly<Record<string, string>>): Authenticate {
  const key = randomBytes(32);
  const digest = (text: string) => createHmac("sha256", key).update(text, "utf8").digest();
  const known = new Map(Object.entries(users).map(([user, password]) => [user, digest(password)]));
  const nobody = randomBytes(32);
  return (user, password) => {
    const expected = known.get(user);
    const equal = timingSafeEqual(digest(password), expected ?? nobody);
    return equal && expected !== undefined;
  };
}

/** `VER(1) = 1 | STATUS(1)`; after any status but 0 the server closes (RFC 1929 section 2). */
export function encodePasswordStatus(status: PasswordStatus): Uint8Array {
  return Uint8Array.of(PASSWORD_VERSION, status);
}
