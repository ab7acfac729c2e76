import type { Server, Socket } from "node:net";
import {
  JOIN_DEADLINE_MS,
  JoinError,
  type Logger,
  limitUnsent,
  listen,
  serverTls,
  TlsError,
} from "@hawser/shared-protocol/node";
import type { RemoteConfig } from "./config.ts";
import type { PeerKey, PeerKeys } from "./peer-keys.ts";
import type { Sessions } from "./sessions.ts";

/** Connections that have not authenticated yet; above this the oldest is dropped. */
const MAX_UNAUTHENTICATED = 512;

/** Where local gateways connect: TLS, then HELLO, then the session's. */
export class SubflowListener {
  readonly #config: RemoteConfig;
  readonly #keys: PeerKeys;
  readonly #sessions: Sessions;
  readonly #logger: Logger;
  /** In order of arrival. */
  readonly #unauthenticated = new Set<Socket>();

  constructor(config: RemoteConfig, keys: PeerKeys, sessions: Sessions, logger: Logger) {
    this.#config = config;
    this.#keys = keys;
    this.#sessions = sessions;
    this.#logger = logger;
  }

  /** @throws CodedError LISTEN_FAILED */
  async listen(): Promise<Server[]> {
    const endpoints = this.#config.listen;
    const servers: Server[] = [];
    for (const [i, { host, port }] of endpoints.entries()) {
      const ipv6Only =
        host.includes(":") && endpoints.some((other) => other.port === port && !other.host.includes(":"));
      const options = { key: `listen[${i}]`, host, port, ipv6Only };
      servers.push(await listen(options, this.#logger, (socket) => void this.#handleConnection(socket)));
    }
    return servers;
  }

  async #handleConnection(raw: Socket): Promise<void> {
    this.#admit(raw);
    const from = raw.remoteAddress;
    const deadline = performance.now() + JOIN_DEADLINE_MS;
    try {
      let key: PeerKey | undefined;
      const lookup = (identity: string): Buffer | undefined => {
        const found = this.#keys.find(identity);
        // As in `serverTls`: one that was turned down cannot be the one whose key then authenticated.
        if (found) key = found;
        return found?.psk.reveal();
      };
      const { socket } = await serverTls(raw, { lookup }, JOIN_DEADLINE_MS);
      limitUnsent(raw);
      const admit = (): PeerKey | undefined => key && this.#keys.recheck(key);
      await this.#sessions.join(socket, deadline - performance.now(), admit);
    } catch (error) {
      raw.destroy();
      const expected = error instanceof TlsError || error instanceof JoinError;
      this.#logger[expected ? "info" : "error"]({ from, err: error }, "a connection was not let in");
    } finally {
      this.#unauthenticated.delete(raw);
    }
  }

  #admit(raw: Socket): void {
    this.#unauthenticated.add(raw);
    const [oldest] = this.#unauthenticated;
    if (this.#unauthenticated.size > MAX_UNAUTHENTICATED) oldest?.destroy();
  }
}
