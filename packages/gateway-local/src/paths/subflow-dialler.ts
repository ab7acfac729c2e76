import { JoinError, joinSession, type Logger, type SessionDriver } from "@hawser/shared-protocol/node";
import { CloseCode, DEFAULT_POLICY, type PathPolicy, PROTOCOL_VERSION } from "@hawser/shared-protocol/wire";
import type { SessionKeeper } from "../session-keeper.ts";
import { Backoff } from "./backoff.ts";
import { DialError, dialSubflow } from "./dial.ts";
import type { Path } from "./path.ts";

/**
 * Keeps one subflow of a path alive:
 *
 * ```
 *  dialling --(joined)--> joined --(lost)--> waiting --(backoff)--> dialling
 *      '------------------(failed)--------------^
 * ```
 */
export class SubflowDialler {
  readonly #path: Path;
  readonly #index: number;
  readonly #keeper: SessionKeeper;
  readonly #logger: Logger;
  readonly #backoff = new Backoff();
  #attempt: AbortController | undefined;
  #timer: NodeJS.Timeout | undefined;
  #subflow: number | undefined;
  #endpoint = 0;
  #running = false;

  constructor(path: Path, index: number, keeper: SessionKeeper, logger: Logger) {
    this.#path = path;
    this.#index = index;
    this.#keeper = keeper;
    this.#logger = logger;
  }

  /** The subflow's number in the present session while it is joined. */
  get subflow(): number | undefined {
    return this.#subflow;
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    void this.#dial();
  }

  /** Stops dialling. A joined subflow is the session's to close. */
  stop(): void {
    this.#running = false;
    clearTimeout(this.#timer);
    this.#attempt?.abort();
    this.#attempt = undefined;
  }

  /** The subflow is lost: dial again. The first attempt comes at once; a line that only hiccuped is back soonest. */
  handleLost(): void {
    this.#subflow = undefined;
    if (this.#running && !this.#attempt) this.#dialAfter(0);
  }

  /** The line is there again: dials now. An attempt from before may wait for an answer that cannot come. */
  hurry(): void {
    if (!this.#running || this.#subflow !== undefined) return;
    this.#attempt?.abort();
    this.#backoff.reset();
    void this.#dial();
  }

  /**
   * Dials anew beside the subflow that is joined, which the remote gateway closes when the new one has taken its place.
   * Resolves when the first attempt is over; more follow as after a loss.
   */
  async renew(): Promise<void> {
    if (!this.#running) return;
    this.#attempt?.abort();
    this.#backoff.reset();
    await this.#dial();
  }

  #dialAfter(delayMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#dial(), delayMs);
  }

  /** Resolves when the attempt is over, however. */
  #dial(): Promise<void> {
    clearTimeout(this.#timer);
    const attempt = new AbortController();
    this.#attempt = attempt;
    const { driver } = this.#keeper;
    return this.#join(driver, attempt.signal)
      .catch((error: unknown) => {
        // Called off: whoever did it has started another attempt, or wants none.
        if (!attempt.signal.aborted) this.#handleFailure(error as Error, driver);
      })
      .finally(() => {
        if (this.#attempt === attempt) this.#attempt = undefined;
      });
  }

  async #join(driver: SessionDriver, signal: AbortSignal): Promise<void> {
    const { pairing, id, established } = this.#keeper;
    const subflow = this.#keeper.takeSubflow();
    const endpoint = pairing.endpoints[this.#endpoint % pairing.endpoints.length]!;
    const socket = await dialSubflow({ path: this.#path.config, pairing, endpoint }, signal);
    const { name, roleInForce: role } = this.#path;
    const rest = await joinSession(socket, {
      type: "hello",
      version: PROTOCOL_VERSION,
      session: id,
      resume: established,
      path: name,
      index: this.#index,
      role,
      subflow,
      ...toldPolicy(this.#path.policy("down")),
    });
    if (signal.aborted || driver !== this.#keeper.driver || driver.session.isClosed) {
      socket.destroy();
      throw new DialError("the session has changed meanwhile");
    }
    this.#backoff.reset();
    this.#keeper.handleJoined(socket.remoteAddress);
    this.#subflow = subflow;
    driver.addSubflow(socket, { id: subflow, path: name, role, policy: this.#path.policy("up") }, rest);
    // It may have changed since HELLO.
    this.#path.enforceRole();
  }

  #handleFailure(error: Error, driver: SessionDriver): void {
    this.#endpoint++;
    if (error instanceof JoinError && error.closeCode === CloseCode.unknownSession)
      this.#keeper.handleUnknown(driver);
    this.#path.handleFailure(error);
    const delay = this.#backoff.next();
    this.#logger.debug({ err: error, retryMs: Math.round(delay) }, "dialling failed");
    this.#dialAfter(delay);
  }
}

/** A remote gateway that knows nothing of policies serves paths that have none. */
function toldPolicy(policy: PathPolicy): { policy?: PathPolicy } {
  const { tier, rate, metered, rationed } = DEFAULT_POLICY;
  const isDefault =
    policy.tier === tier &&
    policy.rate === rate &&
    policy.metered === metered &&
    policy.rationed === rationed;
  return isDefault ? {} : { policy };
}
