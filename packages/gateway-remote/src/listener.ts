import type { Socket } from "node:net";
import {
  JOIN_DEADLINE_MS,
  type Listener,
  type Logger,
  limitUnsent,
  listen,
  type Refusals,
  type Secret,
  serverTls,
} from "@hawser/shared-protocol/node";
import { peerPsk, type RemoteConfig } from "./config.ts";
import type { Sessions } from "./sessions.ts";
import { Strangers } from "./strangers.ts";

/** Where local gateways connect: TLS, then HELLO, then the session's. */
export class SubflowListener {
  #config: RemoteConfig;
  readonly #sessions: Sessions;
  readonly #logger: Logger;
  readonly #strangers: Strangers;

  constructor(config: RemoteConfig, sessions: Sessions, refusals: Refusals, logger: Logger) {
    this.#config = config;
    this.#sessions = sessions;
    this.#logger = logger;
    this.#strangers = new Strangers(refusals);
  }

  /** The configuration was reloaded: other peers may be admitted now. */
  handleConfig(config: RemoteConfig): void {
    this.#config = config;
  }

  /** @throws CodedError LISTEN_FAILED */
  async listen(): Promise<Listener[]> {
    const endpoints = this.#config.listen;
    const listeners: Listener[] = [];
    for (const [i, { host, port }] of endpoints.entries()) {
      const ipv6Only =
        host.includes(":") && endpoints.some((other) => other.port === port && !other.host.includes(":"));
      const options = { key: `listen[${i}]`, host, port, ipv6Only, use: "subflow" } as const;
      listeners.push(await listen(options, this.#logger, (socket) => void this.#handleConnection(socket)));
    }
    return listeners;
  }

  async #handleConnection(raw: Socket): Promise<void> {
    this.#strangers.enter(raw);
    const from = raw.remoteAddress;
    const deadline = performance.now() + JOIN_DEADLINE_MS;
    try {
      let key: Secret | undefined;
      const lookup = (name: string): Buffer | undefined => {
        key = peerPsk(this.#config, name);
        if (key) this.#strangers.handleClaim(raw);
        return key?.reveal();
      };
      const { socket, identity } = await serverTls(raw, { lookup }, JOIN_DEADLINE_MS);
      limitUnsent(raw);
      const isAdmitted = (): boolean =>
        key !== undefined && peerPsk(this.#config, identity)?.equals(key) === true;
      await this.#sessions.join(socket, identity, deadline - performance.now(), isAdmitted);
    } catch (error) {
      raw.destroy();
      this.#strangers.handleFailure(raw, from, error);
    } finally {
      this.#strangers.leave(raw);
    }
  }
}
