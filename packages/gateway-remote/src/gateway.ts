import type { Logger } from "@hawser/gateway-kit";
import { everySecond, type Listener, Refusals } from "@hawser/gateway-kit";
import { formatFinding } from "@hawser/gateway-kit/config";
import { CloseCode } from "@hawser/shared-protocol";
import { PeerAccesses } from "./authorization/peer-access.ts";
import type { RemoteConfig } from "./config.ts";
import { SubflowListener } from "./listener.ts";
import type { PeerProblem } from "./peer-folder.ts";
import { type PeerKey, PeerKeys } from "./peer-keys.ts";
import { keysThatTakeRestart } from "./restart-keys.ts";
import { Sessions } from "./sessions.ts";
import { WayOut } from "./way-out.ts";

export interface RemoteGatewayEvents {
  /** A peer has joined with its new key, so the old key can leave the configuration file. */
  onRotated?(key: PeerKey): void;
}

/** The remote gateway: everything that `hawser-remote run` starts and stops. */
export class RemoteGateway {
  readonly sessions: Sessions;
  readonly refusals: Refusals;
  #config: RemoteConfig;
  readonly #accesses: PeerAccesses;
  readonly #logger: Logger;
  readonly #keys: PeerKeys;
  readonly #listener: SubflowListener;
  readonly #events: RemoteGatewayEvents;
  #listeners: Listener[] = [];
  /** The faults of peers' files that were reported last. */
  #told: ReadonlySet<string> = new Set();
  readonly #wayOut: WayOut;
  readonly #endSampling: () => void;

  constructor(config: RemoteConfig, logger: Logger, events: RemoteGatewayEvents = {}) {
    this.#config = config;
    this.#logger = logger;
    this.#events = events;
    this.refusals = new Refusals(logger);
    this.#accesses = new PeerAccesses(config, logger);
    this.#wayOut = new WayOut(logger, (families) => this.sessions.handleWayOut(families));
    this.sessions = new Sessions(this.#accesses, this.#wayOut, this.refusals, logger, (key) =>
      this.#handleJoined(key),
    );
    this.#keys = new PeerKeys(config);
    this.#listener = new SubflowListener(config, this.#keys, this.sessions, this.refusals, logger);
    this.#endSampling = everySecond(() => this.#sample());
  }

  get config(): RemoteConfig {
    return this.#config;
  }

  /** @throws CodedError LISTEN_FAILED */
  async start(): Promise<void> {
    await this.#wayOut.start();
    this.#listeners = await this.#listener.listen();
    this.#logger.info(
      { listen: this.#config.listen, peers: this.#config.peers.map(({ name }) => name) },
      "listening",
    );
    this.#tellProblems(this.#config.problems);
  }

  /** Reports each fault of a peer's file once for as long as the fault lasts. */
  #tellProblems(problems: readonly PeerProblem[]): void {
    const before = this.#told;
    this.#told = new Set(problems.map(describeProblem));
    for (const problem of problems) {
      const message = describeProblem(problem);
      if (before.has(message)) continue;
      const about = problem.peer === undefined ? {} : { peer: problem.peer };
      this.#logger.error({ ...about, findings: problem.findings }, message);
      this.sessions.events.add("peer-file-wrong", message, about);
    }
  }

  /** Runs once a second: samples the rates of the status report, and ends keys that have expired. */
  #sample(): void {
    const now = performance.now();
    for (const { driver } of this.sessions.all) for (const path of driver.paths) path.sample(now);
    // No event tells that an old key has expired.
    if (this.#keys.isRotating) this.#cutWhoIsOut();
  }

  /**
   * Ends a rotation: the peer holds its new key. A session that has only used the old key is not the peer's, and ends.
   */
  #handleJoined(key: PeerKey): void {
    const { peer, until } = key;
    if (until !== undefined || !this.#keys.retireOldKey(peer)) return;
    this.#logger.info({ peer }, "the peer uses its new key; the old one is no longer admitted");
    this.#cutWhoIsOut();
    this.#events.onRotated?.(key);
  }

  #cutWhoIsOut(): void {
    this.sessions.retain((key) => this.#keys.recheck(key) !== undefined);
  }

  /**
   * Follows a changed configuration: which peers are admitted, and what they may do. All other keys take a restart
   * (restart-keys.ts), and a log line names them.
   */
  reload(wanted: RemoteConfig): void {
    const { listen, status, limits } = this.#config;
    const config = { ...wanted, listen, status, limits };
    this.#config = config;
    this.#accesses.handleConfig(config);
    this.#keys.handleConfig(config);
    this.#cutWhoIsOut();
    this.sessions.enforceRules();
    this.#logger.info({ peers: config.peers.map(({ name }) => name) }, "configuration reloaded");
    this.#tellProblems(config.problems);
    const keys = keysThatTakeRestart(config, wanted);
    if (keys.length > 0) this.#logger.warn({ keys }, "these have changed, which takes a restart");
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
    this.#endSampling();
    this.#wayOut.stop();
    const drivers = [...this.sessions.all].map(({ driver }) => driver);
    this.sessions.closeAll(CloseCode.shutdown, "the remote gateway is stopping");
    await Promise.all(drivers.map((driver) => driver.allClosed()));
  }
}

function describeProblem({ peer, findings, isAdmitted }: PeerProblem): string {
  const what = findings.map(formatFinding).join("; ");
  if (peer === undefined) return what;
  return `${isAdmitted ? "the peer is admitted as before" : "the peer is not admitted"}: ${what}`;
}
