import type { Socket } from "node:net";
import type { Logger } from "@hawser/gateway-kit";
import { type Listener, listenAll, type Refusals } from "@hawser/gateway-kit";
import { JOIN_DEADLINE_MS, limitUnsent, serverTls } from "@hawser/subflow-transport";
import type { RemoteConfig } from "./config.ts";
import type { PeerKey, PeerKeys } from "./peer-keys.ts";
import type { Sessions } from "./sessions.ts";
import { Strangers } from "./strangers.ts";

/** Listens for local gateways. A connection goes through TLS and HELLO, and then belongs to a session. */
export class SubflowListener {
  readonly #config: RemoteConfig;
  readonly #keys: PeerKeys;
  readonly #sessions: Sessions;
  readonly #logger: Logger;
  readonly #strangers: Strangers;

  constructor(config: RemoteConfig, keys: PeerKeys, sessions: Sessions, refusals: Refusals, logger: Logger) {
    this.#config = config;
    this.#keys = keys;
    this.#sessions = sessions;
    this.#logger = logger;
    this.#strangers = new Strangers(refusals);
  }

  /** @throws CodedError LISTEN_FAILED */
  listen(): Promise<Listener[]> {
    const options = { key: "listen", endpoints: this.#config.listen, use: "subflow" } as const;
    return listenAll(options, this.#logger, (socket) => void this.#handleConnection(socket));
  }

  async #handleConnection(raw: Socket): Promise<void> {
    this.#strangers.enter(raw);
    const from = raw.remoteAddress;
    const deadline = performance.now() + JOIN_DEADLINE_MS;
    try {
      let key: PeerKey | undefined;
      const lookup = (identity: string): Buffer | undefined => {
        const found = this.#keys.find(identity);
        if (!found) return undefined;
        // A later identity replaces an earlier one, as in `serverTls`: a refused identity cannot be the one that then
        // authenticated.
        key = found;
        this.#strangers.handleClaim(raw);
        return found.psk.reveal();
      };
      const { socket } = await serverTls(raw, { lookup }, JOIN_DEADLINE_MS);
      limitUnsent(raw);
      const admit = (): PeerKey | undefined => key && this.#keys.recheck(key);
      if (await this.#sessions.join(socket, deadline - performance.now(), admit))
        this.#strangers.handleJoined(raw);
    } catch (error) {
      raw.destroy();
      this.#strangers.handleFailure(raw, from, error);
    } finally {
      this.#strangers.leave(raw);
    }
  }
}
