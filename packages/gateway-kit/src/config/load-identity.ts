import type { Secret } from "@hawser/shared-protocol";
import { parseIdentity } from "@hawser/shared-protocol";
import { CodedError, ErrorCode } from "./errors.ts";
import { readSecretFile } from "./secret-file.ts";

/** The keys of all peers are made with the identity, so a new one would shut every home out. */
const LOST = "restore it from a backup, since every pairing line was made with it";

/** @throws CodedError CONFIG_UNREADABLE, SECRET_EXPOSED or IDENTITY_MALFORMED, naming the file. */
export function loadIdentity(file: string): Secret {
  const identity = parseIdentity(readSecretFile(file, LOST));
  if (!identity.ok) throw new CodedError(ErrorCode.identityMalformed, `${file}: ${identity.problem}`);
  return identity.value;
}
