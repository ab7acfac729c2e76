import { CodedError, ErrorCode } from "@hawser/gateway-kit/config";
import { hasCapability, mayBindToDevice } from "@hawser/linux-sockets";
import type { LocalConfig } from "./config.ts";

/**
 * Checks before the start that the process has the capabilities that the configuration needs. Listeners on ports below
 * 1024 are not checked: they fail by themselves.
 * @throws CodedError CAPABILITY_MISSING
 */
export function checkCapabilities({ paths, capture }: LocalConfig): void {
  if (paths.some((path) => path.interface !== undefined) && !mayBindToDevice()) {
    throw missing("path.interface", "CAP_NET_RAW", "or use a kernel from 5.7 on, where nobody needs it");
  }
  if (capture?.rules === true && !hasCapability("net_admin")) {
    const other = "or set capture.rules = false and let root run `hawser-local rules apply`";
    throw missing("capture.rules (iptables)", "CAP_NET_ADMIN", other);
  }
}

function missing(what: string, name: string, other: string): CodedError {
  const mend = `give the service ${name} (deploy/hawser-local.service does), run as root, ${other}`;
  return new CodedError(ErrorCode.capabilityMissing, `${what} needs ${name}: ${mend}`);
}
