import { JoinError, joinSession, type Logger } from "@hawser/shared-protocol/node";
import { CloseCode, PROTOCOL_VERSION } from "@hawser/shared-protocol/wire";
import type { SessionKeeper } from "../session-keeper.ts";
import { Backoff } from "./backoff.ts";
import { dialSubflow } from "./dial.ts";
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

  get isDialling(): boolean {
    return this.#attempt !== undefined;
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#dial();
  }

  /** Stops dialling. A joined subflow is the session's to close. */
  stop(): void {
    this.#running = false;
    clearTimeout(this.#timer);
    this.#attempt?.abort();
  }

  /** The subflow is lost: dial again. The first attempt comes at once; a line that only hiccuped is back soonest. */
  handleLost(): void {
    this.#subflow = undefined;
    if (this.#running && !this.#attempt) this.#dialAfter(0);
  }

  #dialAfter(delayMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#dial(), delayMs);
  }

  #dial(): void {
    const attempt = new AbortController();
    this.#attempt = attempt;
    this.#join(attempt.signal).then(
      () => {
        this.#attempt = undefined;
      },
      (error: unknown) => {
        this.#attempt = undefined;
        this.#handleFailure(error as Error);
      },
    );
  }

  async #join(signal: AbortSignal): Promise<void> {
    const { pairing } = this.#keeper;
    const endpoint = pairing.endpoints[this.#endpoint % pairing.endpoints.length]!;
    const socket = await dialSubflow({ path: this.#path.config, pairing, endpoint }, signal);
    const { driver, id, established } = this.#keeper;
    const rest = await joinSession(socket, {
      type: "hello",
      version: PROTOCOL_VERSION,
      session: id,
      resume: established,
      path: this.#path.config.name,
      index: this.#index,
      role: this.#path.role,
    });
    if (!this.#running || driver !== this.#keeper.driver) {
      socket.destroy();
      throw new Error("the session has changed meanwhile");
    }
    this.#backoff.reset();
    this.#keeper.handleJoined();
    this.#subflow = driver.addSubflow(socket, this.#path.config.name, this.#path.role, rest);
  }

  #handleFailure(error: Error): void {
    if (!this.#running) return;
    this.#endpoint++;
    if (error instanceof JoinError && error.closeCode === CloseCode.unknownSession)
      this.#keeper.handleUnknown();
    this.#path.handleFailure(error);
    const delay = this.#backoff.next();
    this.#logger.debug({ err: error, retryMs: Math.round(delay) }, "dialling failed");
    this.#dialAfter(delay);
  }
}
