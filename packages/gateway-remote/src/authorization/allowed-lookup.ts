import type { LookupAddress } from "node:dns";
import type { DialOptions } from "@hawser/gateway-kit";
import type { EgressPolicy } from "./policy.ts";

/** No address of a name may be reached. The code is that of connect(2) for a forbidden destination. */
export class NotAllowedError extends Error {
  readonly code = "EACCES";
  override readonly name = "NotAllowedError";
}

/** The addresses of a name, at least one. */
export type ResolveName = (name: string) => Promise<readonly LookupAddress[]>;

/**
 * A lookup for `connect` that returns only the addresses that `policy` allows at `port`. The judged address is the
 * dialled one, so a name that leads elsewhere a moment later (DNS rebinding) gains nothing.
 */
export function allowedLookup(
  policy: EgressPolicy,
  port: number,
  resolve: ResolveName,
): DialOptions["lookup"] {
  return (hostname, callback) => {
    resolve(hostname)
      .then((addresses) => onlyAllowed(addresses, policy, port))
      .then(
        (allowed) => callback(null, allowed),
        (error: Error) => callback(error, []),
      );
  };
}

/** @throws NotAllowedError */
function onlyAllowed(
  addresses: readonly LookupAddress[],
  policy: EgressPolicy,
  port: number,
): LookupAddress[] {
  const reasons = addresses.map(({ address }) => policy.whyDenied(address, port));
  const allowed = addresses.filter((_, i) => reasons[i] === undefined);
  if (allowed.length > 0) return allowed;
  const each = addresses.map(({ address }, i) => `${address} (${reasons[i]})`);
  throw new NotAllowedError(`not allowed: ${each.join(", ")}`);
}
