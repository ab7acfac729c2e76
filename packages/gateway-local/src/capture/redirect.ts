import type { Socket } from "node:net";
import {
  isOwnAddress,
  type Listener,
  type Logger,
  listen,
  originalDestination,
  type Refusals,
} from "@hawser/shared-protocol/node";
import type { Endpoint } from "@hawser/shared-protocol/wire";
import type { CaptureConfig } from "../config.ts";
import type { FlowOpener } from "./flow-opener.ts";

/** Where the LAN's connections arrive that iptables REDIRECT has turned to us, and what becomes of them. */
export class RedirectCapture {
  readonly #opener: FlowOpener;
  readonly #remote: ReadonlySet<string>;
  readonly #refusals: Refusals;
  readonly #logger: Logger;

  constructor(opener: FlowOpener, remote: ReadonlySet<string>, refusals: Refusals, logger: Logger) {
    this.#opener = opener;
    this.#remote = remote;
    this.#refusals = refusals;
    this.#logger = logger;
  }

  /** @throws CodedError LISTEN_FAILED */
  async listen({ listen: endpoints }: CaptureConfig): Promise<Listener[]> {
    const listeners: Listener[] = [];
    for (const [i, { host, port }] of endpoints.entries()) {
      // With an IPv4 listener of its own on the port, the IPv6 one must leave IPv4 alone.
      const ipv6Only =
        host.includes(":") && endpoints.some((other) => other.port === port && !other.host.includes(":"));
      const options = { key: `capture.listen[${i}]`, host, port, ipv6Only };
      listeners.push(await listen(options, this.#logger, (socket) => this.#handleConnection(socket)));
    }
    return listeners;
  }

  #handleConnection(raw: Socket): void {
    const original = originalDestination(raw);
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

  /** Connections that nobody redirected would be dialled back to ourselves, without end. */
  #objection(destination: Endpoint | undefined): string | undefined {
    if (!destination) return "it was not redirected to this port, but made to it";
    if (isOwnAddress(destination.host)) return "it was made to this machine itself";
    if (this.#remote.has(destination.host)) return "it goes to the remote gateway, which is reached directly";
    return undefined;
  }
}
