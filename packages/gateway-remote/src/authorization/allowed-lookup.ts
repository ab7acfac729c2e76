import { type LookupAddress, lookup } from "node:dns";
import type { LookupFunction } from "node:net";
import type { EgressPolicy } from "./policy.ts";

/** None of the addresses of a name may be reached. Its code is what connect(2) says of a forbidden destination. */
export class NotAllowedError extends Error {
  readonly code = "EACCES";
  override readonly name = "NotAllowedError";
}

/**
 * Resolves for `connect`, and gives it only what `policy` allows at `port`. What is dialled is what was judged: a name
 * that leads elsewhere a moment later (DNS rebinding) gains nothing. For sockets with `autoSelectFamily`, which try the
 * addresses in turn.
 */
export function allowedLookup(policy: EgressPolicy, port: number): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
      if (error) return callback(error, []);
      const reasons = addresses.map(({ address }) => policy.whyDenied(address, port));
      const allowed = addresses.filter((_, i) => reasons[i] === undefined);
      if (allowed.length > 0) return callback(null, allowed);
      const each = addresses.map(({ address }, i) => `${address} (${reasons[i]})`);
      return callback(new NotAllowedError(`not allowed: ${each.join(", ")}`), []);
    });
  };
}
