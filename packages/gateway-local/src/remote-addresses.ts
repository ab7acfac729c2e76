import { lookup } from "node:dns/promises";
import { canonicalIp, type Logger } from "@hawser/shared-protocol/node";
import type { Endpoint } from "@hawser/shared-protocol/wire";

/** The addresses of the remote gateway itself: what goes there must never be captured, or it would go round for ever. */
export class RemoteAddresses {
  readonly #addresses = new Set<string>();

  get all(): readonly string[] {
    return [...this.#addresses];
  }

  has(ip: string): boolean {
    return this.#addresses.has(canonicalIp(ip));
  }

  /** Adds what the endpoints' names resolve to now. A name that does not is logged: the lines may be down yet. */
  async resolve(endpoints: readonly Endpoint[], logger: Logger): Promise<void> {
    await Promise.all(
      endpoints.map(async ({ host }) => {
        try {
          for (const { address } of await lookup(host, { all: true })) this.#addresses.add(canonicalIp(address));
        } catch (error) {
          logger.warn({ err: error, host }, "cannot resolve the remote gateway's name yet");
        }
      }),
    );
  }
}
