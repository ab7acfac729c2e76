/** `[status]` of both gateways: where the status server listens, and what it asks for. */

import { dirname, resolve } from "node:path";
import type { Endpoint } from "@hawser/shared-protocol";
import {
  formatEndpoint,
  isLoopbackHost,
  type Parsed,
  parsed,
  problem,
  Secret,
} from "@hawser/shared-protocol";
import { z } from "zod";
import { atKey, ConfigError, ErrorCode } from "./errors.ts";
import { listenField, textField } from "./fields.ts";
import { installCommand, readSecretFile } from "./secret-file.ts";

/** Shortest token, characters: 16 of base64 are 96 bits. */
const MIN_TOKEN = 16;
const MAX_TOKEN = 256;

/** Where the status server listens, and what it asks of clients. */
export interface StatusConfig {
  readonly listen: Endpoint;
  /** What a client must show; without one whoever reaches the server may ask it. */
  readonly token: Secret | undefined;
}

/** There is always a status server; without a `listen` it is at `fallback`. */
export function statusField(fallback: string) {
  return z
    .strictObject({
      listen: listenField.prefault(fallback),
      /** The token, or the file that holds it, relative to the configuration. */
      token: z.union([textField(parseToken), z.strictObject({ file: z.string().min(1) })]).optional(),
    })
    .superRefine(({ listen, token }, context) => {
      if (token !== undefined || isLoopbackHost(listen.host)) return;
      const own = formatEndpoint({ host: "127.0.0.1", port: listen.port });
      const message =
        `${formatEndpoint(listen)} can be reached by others, who need a token: add ` +
        `token = { file = "status-token.txt" } (openssl rand -base64 24 makes one), or listen on ${own}`;
      context.addIssue({ code: "custom", path: ["listen"], message });
    })
    .prefault({});
}

type StatusFile = z.output<ReturnType<typeof statusField>>;

/** For `loadConfig`: where in the file a token stands, if one does. */
export function statusSecretAt({ status }: { readonly status: StatusFile }): string | undefined {
  return status.token instanceof Secret ? "status.token" : undefined;
}

/** Reads the file that `[status]` of configuration `file` may name. @throws ConfigError */
export function loadStatus(file: string, { listen, token }: StatusFile): StatusConfig {
  if (token === undefined || token instanceof Secret) return { listen, token };
  const named = resolve(dirname(file), token.file);
  return { listen, token: atKey(file, "status.token.file", () => readToken(named)) };
}

function readToken(file: string): Secret {
  const whenMissing = `run: openssl rand -base64 24 | ${installCommand("/dev/stdin", file)}`;
  const token = parseToken(readSecretFile(file, whenMissing).trim());
  if (token.ok) return token.value;
  throw new ConfigError(ErrorCode.configInvalid, [{ file, key: "", what: token.problem }]);
}

/** The characters are those of a bearer token (RFC 6750, section 2.1). What was written is not told: it is a secret. */
export function parseToken(text: string): Parsed<Secret> {
  if (text.length < MIN_TOKEN || text.length > MAX_TOKEN)
    return problem(`a token has ${MIN_TOKEN} to ${MAX_TOKEN} characters; openssl rand -base64 24 makes one`);
  if (!/^[A-Za-z0-9._~+/-]+=*$/.test(text))
    return problem("has characters that no token can have; use A-Z a-z 0-9 . _ ~ + / -, and = at its end");
  return parsed(Secret.fromText(text));
}
