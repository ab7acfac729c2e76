import { type Listener, type Logger, Refusals } from "@hawser/shared-protocol/node";
import { CloseCode } from "@hawser/shared-protocol/wire";
import { PeerAccesses } from "./authorization/peer-access.ts";
import { peerPsk, type RemoteConfig } from "./config.ts";
import { SubflowListener } from "./listener.ts";
import { Sessions } from "./sessions.ts";

/** How often the paths' rates are measured for the status report, milliseconds. */
const SAMPLE_MS = 1_000;

/** The remote gateway: everything that `hawser-remote run` starts and stops. */
export class RemoteGateway {
  readonly sessions: Sessions;
  readonly refusals: Refusals;
  #config: RemoteConfig;
  readonly #accesses: PeerAccesses;
  readonly #logger: Logger;
  readonly #listener: SubflowListener;
  #listeners: Listener[] = [];
  readonly #sampler: NodeJS.Timeout;

  constructor(config: RemoteConfig, logger: Logger) {
    this.#config = config;
    this.#logger = logger;
    this.refusals = new Refusals(logger);
    this.#accesses = new PeerAccesses(config);
    this.sessions = new Sessions(this.#accesses, logger);
    this.#listener = new SubflowListener(config, this.sessions, this.refusals, logger);
    this.#sampler = setInterval(() => this.#sampleRates(), SAMPLE_MS);
  }

  get config(): RemoteConfig {
    return this.#config;
  }

  /** @throws CodedError LISTEN_FAILED */
  async start(): Promise<void> {
    this.#listeners = await this.#listener.listen();
    this.#logger.info(
      { listen: this.#config.listen, peers: this.#config.peers.map(({ name }) => name) },
      "listening",
    );
  }

  #sampleRates(): void {
    const now = performance.now();
    for (const { driver } of this.sessions.all) for (const path of driver.paths) path.sample(now);
  }

  /** Follows a changed configuration: who is admitted, and what they may do. `listen`, `status` and `limits` take a restart. */
  reload(wanted: RemoteConfig): void {
    const before = this.#config;
    // Rules speak of the ports that are in use.
    const config = { ...wanted, listen: before.listen, status: before.status, limits: before.limits };
    this.#config = config;
    this.#accesses.handleConfig(config);
    this.#listener.handleConfig(config);
    // A peer that was paired anew has another key: whoever holds the old one is no longer admitted.
    this.sessions.retain((peer) => {
      const psk = peerPsk(config, peer);
      return psk !== undefined && peerPsk(before, peer)?.equals(psk) === true;
    });
    this.sessions.enforceRules();
    this.#logger.info({ peers: config.peers.map(({ name }) => name) }, "configuration reloaded");
  }

  /** Accepts nothing new, lets open flows finish for at most `drainSeconds`, then ends every session. */
  async stop(drainSeconds: number, cut: AbortSignal): Promise<void> {
    for (const listener of this.#listeners) listener.close();
    this.sessions.drain();
    const deadline = AbortSignal.any([cut, AbortSignal.timeout(drainSeconds * 1_000)]);
    for (const { egress, logger } of this.sessions.all) {
      if (egress.flows.size > 0)
        logger.info({ flows: egress.flows.size, drainSeconds }, "waiting for open flows");
      await egress.flows.whenEmpty(deadline);
    }
    clearInterval(this.#sampler);
    const drivers = [...this.sessions.all].map(({ driver }) => driver);
    this.sessions.closeAll(CloseCode.shutdown, "the remote gateway is stopping");
    await Promise.all(drivers.map((driver) => driver.allClosed()));
  }
}
