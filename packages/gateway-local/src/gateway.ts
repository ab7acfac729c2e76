import type { Logger } from "@hawser/gateway-kit";
import { everySecond, flowDescriptors, type Listener, Refusals } from "@hawser/gateway-kit";
import { MAX_STREAMS } from "@hawser/multipath-engine";
import { CloseCode, formatPairing, type Pairing, type PathRole } from "@hawser/shared-protocol";
import { EventLog } from "@hawser/status-api";
import { greedyText, type RulesStatus } from "@hawser/status-api/model";
import { FAMILIES, type Family, systemRunner } from "iptables-wrapper";
import { checkCapabilities } from "./capabilities.ts";
import { CaptureWatch } from "./capture/capture-watch.ts";
import { FailedDestinations } from "./capture/failed-destinations.ts";
import { FairShare } from "./capture/fair-share.ts";
import { FlowOpener } from "./capture/flow-opener.ts";
import { listenForward } from "./capture/forward.ts";
import { RedirectCapture } from "./capture/redirect.ts";
import { RouteFollower } from "./capture/route-follower.ts";
import { RuleKeeper } from "./capture/rule-keeper.ts";
import { capturePort } from "./capture/rules.ts";
import { SocksCapture } from "./capture/socks.ts";
import type { LocalConfig, PathConfig } from "./config.ts";
import { LinkWatch } from "./paths/link-watch.ts";
import { Path } from "./paths/path.ts";
import { QuotaKeeper } from "./quota/quota-keeper.ts";
import { describeFailures, followParts, type ReloadPart } from "./reload.ts";
import { RemoteAddresses } from "./remote-addresses.ts";
import { keysThatTakeRestart } from "./restart-keys.ts";
import { SessionKeeper } from "./session-keeper.ts";
import { Trials } from "./trials/trials.ts";
import { WayOut } from "./way-out.ts";

/** The reason that logs and events give when a reload changes a path's role. */
const RELOADED = "the configuration was reloaded";

/** The local gateway: everything that `hawser-local run` starts and stops, in this order. */
export class LocalGateway {
  #config: LocalConfig;
  readonly events = new EventLog();
  readonly keeper: SessionKeeper;
  readonly opener: FlowOpener;
  readonly refusals: Refusals;
  readonly trials = new Trials(this);
  readonly wayOut: WayOut;
  readonly #links: LinkWatch;
  #paths: Path[];
  readonly #quotas: QuotaKeeper;
  /** Set at start when the configuration has `[capture]`. */
  captureWatch: CaptureWatch | undefined;
  readonly #endSampling: () => void;
  readonly #logger: Logger;
  readonly #remote = new RemoteAddresses(() => this.#rules.setLeft("remote", [...this.#remote.all]));
  /**
   * Listeners to which iptables redirects connections. The other listeners are those that applications connect to
   * themselves.
   */
  readonly #redirectListeners: Listener[] = [];
  readonly #listeners: Listener[] = [];
  #socks: SocksCapture | undefined;
  readonly #rules: RuleKeeper;
  readonly #routes: RouteFollower;
  /** `#reloaded` resolves when all reloads so far are done, `#renewed` when all lines have been dialled anew. */
  #reloaded: Promise<void> = Promise.resolve();
  #renewed: Promise<void> = Promise.resolve();
  #isStopping = false;
  /** The configuration at the start. Its listeners stay open until the stop, so rules can redirect to no others. */
  readonly #started: LocalConfig;

  constructor(config: LocalConfig, logger: Logger) {
    this.#config = config;
    this.#started = config;
    this.#logger = logger;
    this.#links = new LinkWatch({ logger });
    this.wayOut = new WayOut(this.events, config.remote.name, logger);
    this.keeper = new SessionKeeper(config.remote, config.limits.memoryBytes, logger, this.events, {
      onSubflow: (change) => {
        this.path(change.path)?.handleSubflow(change);
        if (change.state === "joined") this.#quotas.handleJoined(change.path);
        if (change.state === "joined") this.opener.reach.handlePathUp();
        else if (this.keeper.driver.connections.size === 0) this.opener.reach.handleNoPath();
      },
      onNewSession: () => {
        this.opener.reach.handleNoPath();
        for (const path of this.#paths) path.handleNewSession();
      },
      onEgress: (families) => this.wayOut.handleEgress(families),
      onTurn: () => this.#quotas.handleTurn(),
    });
    this.refusals = new Refusals(logger);
    const failed = new FailedDestinations(logger);
    this.opener = new FlowOpener(this.keeper, this.#newShare(), this.refusals, logger, failed);
    const hasCaptured = (): boolean =>
      [...this.opener.flows].some(({ request }) => request.kind === "redirect");
    this.#rules = new RuleKeeper({ logger, events: this.events, hasCaptured, failed });
    this.#routes = new RouteFollower({
      logger,
      lines: () => this.config.paths,
      onPrefixes: (prefixes) => this.#rules.setLeft("routes", prefixes),
    });
    this.wayOut.onChange = (families) => this.#rules.setWayOut(families);
    this.#quotas = new QuotaKeeper(config.state, logger, this.events, config.remote.name);
    this.#paths = config.paths.map((path) => this.#newPath(path));
    this.#endSampling = everySecond(() => this.#sample());
  }

  #newShare(): FairShare {
    const { memory } = this.keeper;
    const room = Math.min(MAX_STREAMS, memory.maxStreams, flowDescriptors());
    const { name } = this.config.remote;
    return new FairShare({
      room,
      isMemoryShort: () => memory.isNearlyFull,
      onGreedy: (greedy) =>
        this.events.add("flows-refused", greedyText({ limit: room }, greedy), { peer: name }),
    });
  }

  #newPath(config: PathConfig): Path {
    return new Path(config, this.keeper, this.#links, this.#remote, this.#logger);
  }

  get config(): LocalConfig {
    return this.#config;
  }

  /** Undefined when the gateway installs no rules. */
  get rules(): RulesStatus | undefined {
    return this.#rules.status;
  }

  /** Whether the gateway is stopping and captures nothing more. */
  get isStopping(): boolean {
    return this.#isStopping;
  }

  get paths(): readonly Path[] {
    return this.#paths;
  }

  path(name: string): Path | undefined {
    return this.paths.find((path) => path.name === name);
  }

  setPathRole(name: string, role: PathRole): boolean {
    const path = this.path(name);
    path?.setRole(role, "set through the API");
    return path !== undefined;
  }

  /** @throws CodedError, IptablesError: what the user has to mend */
  async start(): Promise<void> {
    checkCapabilities(this.#config);
    // Not awaited: a name server may be out of reach until a line is up.
    void this.#remote.learn(this.config.remote.endpoints);
    await this.#quotas.follow(this.paths);
    await this.#listen();
    this.opener.reach.handleNoPath();
    for (const path of this.paths) path.start();
    if (this.config.capture) await this.#routes.start();
    // The rules come last at start and go first at stop, so that no connection is redirected to a port without a
    // listener.
    await this.#rules.follow(this.config.capture);
  }

  /**
   * Runs once a second: samples the rates of the status report, renews keys that are due, and lets the engine send its
   * PINGs.
   */
  #sample(): void {
    const now = performance.now();
    for (const path of this.#paths) {
      path.record.sample(now);
      path.renewKeys();
    }
    this.keeper.driver.schedule();
  }

  async #listen(): Promise<void> {
    const { capture, socks, forwards } = this.config;
    if (capture) {
      const redirect = new RedirectCapture(this.opener, this.#remote.all, this.refusals, this.#logger);
      const families = FAMILIES.filter((family) => capturePort(capture, family) !== undefined);
      const accepted = (family: Family): number => redirect.accepted[family];
      this.captureWatch = new CaptureWatch(families, accepted, systemRunner(), this.events, this.#logger);
      this.captureWatch.start();
      this.#redirectListeners.push(...(await redirect.listen(capture)));
    }
    if (socks) {
      this.#socks = new SocksCapture(socks, this.opener, this.refusals, this.#logger);
      this.#listeners.push(...(await this.#socks.listen()));
    }
    for (const [i, forward] of forwards.entries()) {
      this.#listeners.push(await listenForward(forward, i, this.opener, this.#logger));
    }
  }

  /**
   * Follows a changed configuration: paths with their roles and quotas, redirect rules, SOCKS users, pairing. All other
   * keys take a restart (restart-keys.ts), and a log line names them. Reloads run one after another. A part that fails
   * is reported.
   */
  reload(config: LocalConfig): Promise<void> {
    this.#reloaded = this.#reloaded.then(() => this.#follow(config));
    return this.#reloaded;
  }

  async #follow(config: LocalConfig): Promise<void> {
    const parts: ReloadPart[] = [
      { name: "paths", follow: () => this.#followPaths(config.paths) },
      { name: "quotas", follow: () => this.#quotas.follow(this.#paths) },
      { name: "redirect rules", follow: () => this.#followCapture(config.capture) },
      { name: "SOCKS users", follow: () => config.socks && this.#socks?.handleConfig(config.socks) },
      { name: "pairing", follow: () => this.#followPairing(config.remote) },
    ];
    const outcome = await followParts(parts, () => this.#isStopping);
    if (this.#isStopping) return;
    if (outcome.failed.length === 0) {
      this.#logger.info("reloaded paths, rules, SOCKS users and pairing");
      this.events.add("reloaded", "the configuration was reloaded");
    } else {
      const message = describeFailures(outcome);
      this.#logger.error({ errors: outcome.failed.map(({ error }) => error) }, message);
      this.events.add("reload-failed", message);
    }
    const keys = keysThatTakeRestart(this.#started, config);
    if (keys.length > 0) this.#logger.warn({ keys }, "these have changed, which takes a restart");
  }

  #followPaths(wanted: readonly PathConfig[]): void {
    const isSame = (path: Path): boolean =>
      wanted.some(
        (config) => JSON.stringify({ ...config, role: path.config.role }) === JSON.stringify(path.config),
      );
    const kept = this.#paths.filter(isSame);
    for (const path of this.#paths) if (!kept.includes(path)) path.setRole("disabled", RELOADED);
    this.#paths = wanted.map((config) => {
      const path = kept.find(({ name }) => name === config.name) ?? this.#newPath(config);
      path.setRole(config.role, RELOADED);
      path.start();
      return path;
    });
    this.#config = { ...this.#config, paths: wanted };
    this.#routes.handleChange();
  }

  async #followCapture(wanted: LocalConfig["capture"]): Promise<void> {
    const listen = this.#started.capture?.listen;
    const capture = wanted && listen && { ...wanted, listen };
    this.#config = { ...this.#config, capture };
    await this.#rules.follow(capture);
  }

  /**
   * Continues the session under a rotated secret. It dials one subflow after another anew while the others carry the
   * flows; no caller waits for that. Another name means another session, which takes a restart.
   */
  #followPairing(pairing: Pairing): void {
    const before = this.keeper.pairing;
    if (formatPairing(pairing) === formatPairing(before)) return;
    if (pairing.name !== before.name) {
      this.#logger.warn({ name: pairing.name, before: before.name }, "another name takes a restart");
      return;
    }
    this.keeper.handlePairing(pairing);
    this.#logger.info("the pairing has changed: dialling every line anew");
    this.#renewed = this.#renewed
      .then(() => this.#renewPaths(pairing))
      .catch((error: unknown) => this.#logger.error({ err: error }, "could not dial every line anew"));
  }

  async #renewPaths(pairing: Pairing): Promise<void> {
    for (const path of this.#paths) {
      // A later rotation dials all of the paths once more.
      if (this.#isStopping || this.keeper.pairing !== pairing) return;
      await path.renew();
    }
  }

  /**
   * Captures nothing more, lets open flows finish for at most `drainSeconds`, then ends the session. Never throws: what
   * cannot be undone is logged.
   */
  async stop(drainSeconds: number, cut: AbortSignal): Promise<void> {
    this.#isStopping = true;
    this.trials.stop();
    this.captureWatch?.stop();
    this.#routes.stop();
    for (const listener of this.#listeners) listener.close();
    await this.#rules.stopCapturing();
    this.opener.drain();
    for (const listener of this.#redirectListeners) listener.close();
    if (this.opener.flows.size > 0) {
      this.#logger.info({ flows: this.opener.flows.size, drainSeconds }, "waiting for open flows to finish");
      await this.opener.flows.whenEmpty(AbortSignal.any([cut, AbortSignal.timeout(drainSeconds * 1_000)]));
    }
    this.#endSampling();
    for (const path of this.paths) path.stop();
    this.keeper.stop(CloseCode.shutdown, "the local gateway is stopping");
    await this.keeper.driver.allClosed();
    await this.#quotas.stop();
    await this.removeRules();
  }

  /** Removes the redirect rules for good. Never throws. */
  removeRules(): Promise<void> {
    return this.#rules.remove();
  }
}
