/** Where a running gateway answers, for commands that need nothing else of its configuration. */

import { dirname, resolve } from "node:path";
import { formatEndpoint, parseListenEndpoint } from "@hawser/shared-protocol";
import { CodedError } from "./errors.ts";
import { salvageConfig } from "./salvage.ts";
import { readTextFile } from "./secret-file.ts";
import { parseToken, type StatusConfig } from "./status-config.ts";

/**
 * What `load` reads of `file`. A gateway that runs goes on when its file is broken, and must answer then, too: what is
 * wrong is told, and the gateway asked where the readable rest of the file says, or at `fallback`.
 */
export function findStatus(
  file: string,
  load: (file: string) => StatusConfig,
  fallback: string,
  tell: (text: string) => void = (text) => void process.stderr.write(text),
): StatusConfig {
  try {
    return load(file);
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    const status = salvageStatus(file, fallback);
    tell(`${error.message}\nasking the gateway at ${formatEndpoint(status.listen)} all the same\n`);
    return status;
  }
}

function salvageStatus(file: string, fallback: string): StatusConfig {
  const { status } = salvageConfig(file);
  const table =
    typeof status === "object" && !Array.isArray(status) ? (status as Record<string, unknown>) : {};
  const { listen, token } = table;
  const written = typeof listen === "string" ? parseListenEndpoint(listen) : parseListenEndpoint(fallback);
  const address = written.ok ? written : parseListenEndpoint(fallback);
  if (!address.ok) throw new RangeError(`${fallback} is no address`);
  return { listen: address.value, token: salvageToken(file, token) };
}

/** Who can read the file may use the token: whether others can, too, is no matter of this command. */
function salvageToken(file: string, written: unknown): StatusConfig["token"] {
  const text = typeof written === "string" ? written : tokenFile(file, written);
  const token = parseToken(text ?? "");
  return token.ok ? token.value : undefined;
}

function tokenFile(file: string, written: unknown): string | undefined {
  if (typeof written !== "object" || written === null || !("file" in written)) return undefined;
  try {
    return readTextFile(resolve(dirname(file), String(written.file))).text.trim();
  } catch {
    return undefined;
  }
}
