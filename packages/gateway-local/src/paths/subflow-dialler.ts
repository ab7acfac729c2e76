import type { TLSSocket } from "node:tls";
import type { Logger, SessionDriver } from "@hawser/gateway-kit";
import { localAddresses } from "@hawser/linux-sockets";
import {
  CloseCode,
  DEFAULT_POLICY,
  type HelloFrame,
  type PathPolicy,
  type PathRole,
} from "@hawser/shared-protocol";
import { JoinError, joinSession } from "@hawser/subflow-transport";
import type { PathConfig } from "../config.ts";
import type { RemoteAddresses } from "../remote-addresses.ts";
import type { SessionKeeper } from "../session-keeper.ts";
import { Backoff, LONG_LIFE_MS, MAX_DELAY_MS } from "./backoff.ts";
import { dialSubflow } from "./dial.ts";
import { DialError } from "./dial-error.ts";
import { type DialTarget, dialTargets, isSameTarget, TargetRotation } from "./dial-targets.ts";
import type { SharedRace } from "./shared-race.ts";

/** The path that a dialler belongs to. A path may have several diallers. */
interface Line {
  readonly config: PathConfig;
  readonly name: string;
  readonly roleInForce: PathRole;
  readonly race: SharedRace;
  /** The limits that the sender of each direction keeps to. */
  policy(direction: "down" | "up"): PathPolicy;
  handleFailure(error: Error): void;
  /** Restricts a subflow that has joined to what the role in force allows. */
  enforceRole(): void;
}

/** A connection over which HELLO has not been sent yet. */
interface Connected {
  readonly socket: TLSSocket;
  readonly target: DialTarget;
}

/** A subflow that has joined, the time (of performance.now) and the target. */
interface Joined {
  readonly subflow: number;
  readonly at: number;
  readonly target: DialTarget;
}

/**
 * Keeps one subflow of a path alive:
 *
 * ```
 *  dialling --(joined)--> joined --(lost)--> waiting --(backoff)--> dialling
 *      '------------------(failed)--------------^
 * ```
 */
export class SubflowDialler {
  readonly #path: Line;
  readonly #index: number;
  readonly #keeper: SessionKeeper;
  readonly #remote: RemoteAddresses;
  readonly #logger: Logger;
  readonly #backoff = new Backoff();
  readonly #rotation = new TargetRotation();
  #attempt: AbortController | undefined;
  #timer: NodeJS.Timeout | undefined;
  #joined: Joined | undefined;
  #running = false;

  constructor(path: Line, index: number, keeper: SessionKeeper, remote: RemoteAddresses, logger: Logger) {
    this.#path = path;
    this.#index = index;
    this.#keeper = keeper;
    this.#remote = remote;
    this.#logger = logger;
  }

  /** The subflow's number in the present session while it is joined. */
  get subflow(): number | undefined {
    return this.#joined?.subflow;
  }

  /** Whether an attempt is under way, or follows one that failed. */
  get isDialling(): boolean {
    return this.#attempt !== undefined || this.#timer !== undefined;
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#backoff.reset();
    this.#rotation.restart();
    void this.#dial();
  }

  /** Stops dialling. The session closes a joined subflow. */
  stop(): void {
    this.#running = false;
    this.#cancelTimer();
    this.#attempt?.abort();
    this.#attempt = undefined;
  }

  /** The subflow is lost: dials again, at once if the line had served, since a short interruption is soon over. */
  handleLost(): void {
    if (!this.#joined) return;
    const { at, target } = this.#joined;
    this.#joined = undefined;
    const livedMs = performance.now() - at;
    if (livedMs >= LONG_LIFE_MS) this.#rotation.handleServed(target);
    if (!this.#running || this.#attempt) return;
    const delay = this.#backoff.afterLoss(livedMs);
    if (delay > 0)
      this.#logger.debug({ retryMs: Math.round(delay) }, "the subflow was lost soon after it had joined");
    this.#dialAfter(delay);
  }

  /** The line is back: dials now. An attempt from before may wait for an answer that cannot come. */
  hurry(): void {
    if (!this.#running || this.#joined) return;
    this.#attempt?.abort();
    this.#backoff.reset();
    this.#rotation.restart();
    void this.#dial();
  }

  /** Addresses of this machine are gone. An attempt or a renewal from one of them is ended. */
  handleAddressesGone(): void {
    if (!this.#attempt) return;
    this.#attempt.abort();
    this.#rotation.restart();
    void this.#dial();
  }

  /**
   * Dials a new subflow beside the joined one, which the remote gateway closes when the new one has taken its place.
   * Resolves when the first attempt has ended, or has had no answer for a while. More attempts follow, as after a loss.
   */
  async renew(): Promise<void> {
    if (!this.#running) return;
    this.#attempt?.abort();
    this.#backoff.reset();
    if (this.#joined) this.#rotation.handleServed(this.#joined.target);
    const silence = Promise.withResolvers<void>();
    await Promise.race([this.#dial(silence.resolve), silence.promise]);
  }

  /** A long wait protects the other lines. It ends when no other line is up. */
  #dialAfter(delayMs: number): void {
    const step = Math.min(delayMs, MAX_DELAY_MS);
    this.#cancelTimer();
    this.#timer = setTimeout(() => {
      if (step < delayMs && this.#keeper.driver.connections.size > 0) this.#dialAfter(delayMs - step);
      else void this.#dial();
    }, step);
  }

  #cancelTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Resolves when the attempt has ended, with success or not. */
  #dial(onSilence = (): void => {}): Promise<void> {
    this.#cancelTimer();
    const attempt = new AbortController();
    this.#attempt = attempt;
    const startedAt = performance.now();
    return this.#connect(attempt.signal, onSilence)
      .then((connected) => this.#join(connected, attempt.signal))
      .catch((error: unknown) => {
        // The attempt was aborted by code that has started another one, or wants none.
        if (attempt.signal.aborted) return;
        this.#path.handleFailure(error as Error);
        const delay = this.#backoff.afterFailure(performance.now() - startedAt);
        this.#logger.debug({ err: error, retryMs: Math.round(delay) }, "dialling failed");
        this.#dialAfter(delay);
      })
      .finally(() => {
        if (this.#attempt === attempt) this.#attempt = undefined;
      });
  }

  async #connect(signal: AbortSignal, onSilence: () => void): Promise<Connected> {
    const { pairing } = this.#keeper;
    const { config } = this.#path;
    const targets = await this.#targets();
    signal.throwIfAborted();
    const target = this.#rotation.pick(targets);
    const handleSilence = (error: DialError): Promise<boolean> => {
      this.#path.handleFailure(error);
      onSilence();
      return this.#isOnly(target);
    };
    const { connect } = this.#path.race;
    const socket = await dialSubflow(config, target, pairing, signal, handleSilence, connect);
    return { socket, target };
  }

  /** There is no other target. With several, each is dialled in turn. */
  async #isOnly(target: DialTarget): Promise<boolean> {
    const targets = await this.#targets().catch(() => []);
    return targets.length === 1 && targets.every((each) => isSameTarget(each, target));
  }

  #targets(): Promise<readonly DialTarget[]> {
    return dialTargets(this.#path.config, this.#keeper.pairing.endpoints, this.#remote, localAddresses);
  }

  async #join({ socket, target }: Connected, signal: AbortSignal): Promise<void> {
    // The present session: the attempt may have begun under another one.
    const { driver, id, established } = this.#keeper;
    const subflow = this.#keeper.takeSubflow();
    const { name, roleInForce: role } = this.#path;
    const hello: HelloFrame = {
      type: "hello",
      version: this.#keeper.version,
      session: id,
      resume: established,
      path: name,
      index: this.#index,
      role,
      subflow,
      ...toldPolicy(this.#path.policy("down")),
    };
    const { version, rest } = await joinSession(socket, hello, signal).catch((error: unknown) => {
      this.#handleRefusal(error, driver);
      throw error;
    });
    if (socket.destroyed) throw new DialError("the connection ended when it had joined");
    if (signal.aborted || driver !== this.#keeper.driver || driver.session.isClosed) {
      socket.destroy();
      throw new DialError("the session has changed meanwhile");
    }
    this.#keeper.handleJoined();
    const replaces = this.#joined?.subflow;
    this.#joined = { subflow, at: performance.now(), target };
    driver.addSubflow(
      socket,
      { id: subflow, path: name, role, version, policy: this.#path.policy("up"), replaces },
      rest,
    );
    // The role may have changed since HELLO.
    this.#path.enforceRole();
  }

  #handleRefusal(error: unknown, driver: SessionDriver): void {
    if (!(error instanceof JoinError)) return;
    if (error.closeCode === CloseCode.version) this.#keeper.handleOlderRemote(driver);
    if (error.closeCode !== CloseCode.unknownSession) return;
    this.#rotation.restart();
    this.#keeper.handleUnknown(driver);
  }
}

/** A remote gateway without policies in its protocol version can only serve paths that have none. */
function toldPolicy(policy: PathPolicy): { policy?: PathPolicy } {
  const { tier, rate, metered, rationed } = DEFAULT_POLICY;
  const isDefault =
    policy.tier === tier &&
    policy.rate === rate &&
    policy.metered === metered &&
    policy.rationed === rationed;
  return isDefault ? {} : { policy };
}
