import { checkPlatform, type PlatformFinding } from "@hawser/linux-sockets";
import { CodedError, ErrorCode } from "./config/errors.ts";
import type { Logger } from "./log.ts";

/**
 * Logs what a gateway can do without on this machine.
 * @throws CodedError PLATFORM_UNFIT for what it cannot do without
 */
export function requirePlatform(
  logger: Logger,
  findings: readonly PlatformFinding[] = checkPlatform(),
): void {
  for (const { isFatal, what } of findings) {
    if (isFatal) throw new CodedError(ErrorCode.platformUnfit, `a gateway cannot run here: ${what}`);
    logger.warn({ code: ErrorCode.platformUnfit }, what);
  }
}
