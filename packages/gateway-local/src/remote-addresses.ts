import { lookup } from "node:dns/promises";
import { canonicalIp } from "@hawser/shared-protocol/node";
import type { Endpoint } from "@hawser/shared-protocol/wire";

/**
 * The addresses of the remote gateway itself: what goes there must never be captured, or it would go round for ever.
 * A name that does not resolve is passed over: the lines may be down yet.
 */
export async function resolveRemote(endpoints: readonly Endpoint[]): Promise<string[]> {
  const found = await Promise.all(
    endpoints.map(({ host }) => lookup(host, { all: true }).catch((): { address: string }[] => [])),
  );
  return [...new Set(found.flat().map(({ address }) => canonicalIp(address)))];
}
