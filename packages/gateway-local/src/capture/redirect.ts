import type { Socket } from "node:net";
import type { Logger } from "@hawser/gateway-kit";
import { type Listener, listenAll, type Refusals } from "@hawser/gateway-kit";
import { hasIpv6, isOwnAddress, originalDestination } from "@hawser/linux-sockets";
import type { Endpoint } from "@hawser/shared-protocol";
import type { Family } from "iptables-wrapper";
import type { CaptureConfig } from "../config.ts";
import type { FlowOpener } from "./flow-opener.ts";

/** Accepts the LAN's redirected connections, and opens a flow for each. */
export class RedirectCapture {
  readonly #opener: FlowOpener;
  readonly #remote: ReadonlySet<string>;
  readonly #refusals: Refusals;
  readonly #logger: Logger;
  /** How many redirected connections have arrived since the start. */
  readonly accepted: Record<Family, number> = { ipv4: 0, ipv6: 0 };

  constructor(opener: FlowOpener, remote: ReadonlySet<string>, refusals: Refusals, logger: Logger) {
    this.#opener = opener;
    this.#remote = remote;
    this.#refusals = refusals;
    this.#logger = logger;
  }

  /** @throws CodedError LISTEN_FAILED */
  listen({ listen: endpoints }: CaptureConfig): Promise<Listener[]> {
    if (!endpoints.some(({ host }) => host.includes(":")) && !hasIpv6())
      this.#logger.info("this machine has no IPv6: only IPv4 is captured");
    const options = { key: "capture.listen", endpoints };
    return listenAll(options, this.#logger, (socket) => this.#handleConnection(socket));
  }

  #handleConnection(raw: Socket): void {
    const original = originalDestination(raw);
    if (!("error" in original)) this.accepted[original.address.includes(":") ? "ipv6" : "ipv4"]++;
    const destination = "error" in original ? undefined : { host: original.address, port: original.port };
    const objection = this.#objection(destination);
    if (!destination || objection !== undefined) {
      const fields = { from: raw.remoteAddress, to: destination, why: objection };
      this.#refusals.note(
        { listener: "redirect", reason: "destination" },
        "warn",
        fields,
        "refused a connection",
      );
      raw.resetAndDestroy();
      return;
    }
    this.#opener.openAccepted("redirect", destination, raw);
  }

  /**
   * A connection that was not redirected has this listener as its destination: it would be dialled back here without
   * end.
   */
  #objection(destination: Endpoint | undefined): string | undefined {
    if (!destination) return "it was not redirected to this port, but made to it";
    if (isOwnAddress(destination.host)) return "it was made to this machine itself";
    if (this.#remote.has(destination.host)) return "it goes to the remote gateway, which is reached directly";
    return undefined;
  }
}
