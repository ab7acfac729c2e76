import type { Secret } from "@hawser/shared-protocol";
import { parseIdentity } from "@hawser/shared-protocol";
import { CodedError, ErrorCode } from "./errors.ts";
import { readSecretFile } from "./secret-file.ts";

/** @throws CodedError CONFIG_UNREADABLE, SECRET_EXPOSED or IDENTITY_MALFORMED, naming the file. */
export function loadIdentity(file: string): Secret {
  const identity = parseIdentity(readSecretFile(file));
  if (!identity.ok) throw new CodedError(ErrorCode.identityMalformed, `${file}: ${identity.problem}`);
  return identity.value;
}
