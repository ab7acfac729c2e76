import type { Logger } from "@hawser/gateway-kit";
import type { EventLog } from "@hawser/status-api";
import type { RulesStatus } from "@hawser/status-api/model";
import {
  applyRules,
  clearRules,
  FAMILIES,
  type Family,
  type FamilyOutcome,
  IptablesError,
  IptablesErrorCode,
  inspectRules,
  type Runner,
  systemRunner,
} from "iptables-wrapper";
import type { CaptureConfig } from "../config.ts";
import type { FailedDestinations } from "./failed-destinations.ts";
import { RuleGuard } from "./rule-guard.ts";
import { RuleWatch, type RuleWatchOptions } from "./rule-watch.ts";
import { type CaptureState, drainingRules, EVERY_WAY_OUT, RULES_OWNER, redirectRules } from "./rules.ts";

/** How often to check whether the last captured flow has ended, milliseconds. */
const DRAIN_PERIOD_MS = 1_000;

/**
 * The state of the rules:
 *
 * ```
 *            follow(rules wanted)            stopCapturing, follow(none wanted)
 *   nothing ─────────────────────> capture ─────────────────────────────────────> drain
 *      ^                              ^────────────── follow(rules wanted) ─────────│
 *      └───────────────────────── remove, or the last captured flow is over ────────┘
 * ```
 */
type Aim = "nothing" | "capture" | "drain";

/** Tells which destinations are left alone. */
export type LeftBy = "remote" | "routes";

export interface RuleKeeperOptions {
  readonly logger: Logger;
  readonly events: EventLog;
  /** Whether redirected flows are open. */
  readonly hasCaptured: () => boolean;
  readonly failed: Pick<FailedDestinations, "hasSets" | "prepare" | "goWithout" | "end">;
  readonly runner?: Runner;
  readonly listen?: RuleWatchOptions["listen"];
}

/**
 * Keeps the redirect rules from start to stop. Everything that the rules depend on is told to this class. It changes the
 * kernel's rules one change at a time, and each change brings in the latest state, so an older state is never the last.
 */
export class RuleKeeper {
  readonly #logger: Logger;
  readonly #hasCaptured: () => boolean;
  readonly #failed: RuleKeeperOptions["failed"];
  readonly #runner: Runner;
  #aim: Aim = "nothing";
  /** Nothing is captured any more, whatever is asked for later. */
  #isOver = false;
  /** The interfaces and listeners; in `drain` those from before. */
  #capture: CaptureConfig | undefined;
  readonly #left = new Map<LeftBy, readonly string[]>();
  #wayOut = EVERY_WAY_OUT;
  /** Whether this gateway's rules may be in the kernel. */
  #installed = false;
  /** Resolves when every change that was asked for so far is made. */
  #done: Promise<void> = Promise.resolve();
  /** The change that was asked for and has not begun. */
  #next: Promise<void> | undefined;
  #drain: NodeJS.Timeout | undefined;
  readonly #guard: RuleGuard;
  readonly #listen: RuleWatchOptions["listen"];
  #watch: RuleWatch | undefined;
  /** Whether the rules have been in place since capturing began. */
  #hasBegun = false;

  constructor({ logger, events, hasCaptured, failed, listen, runner = systemRunner() }: RuleKeeperOptions) {
    this.#logger = logger;
    this.#failed = failed;
    this.#hasCaptured = hasCaptured;
    this.#runner = runner;
    this.#listen = listen;
    this.#guard = new RuleGuard(events, logger);
  }

  /** Undefined when no rules are wanted. */
  get status(): RulesStatus | undefined {
    if (this.#aim !== "capture") return undefined;
    const trouble =
      this.#guard.trouble ?? (this.#hasBegun ? null : "the redirect rules are not in place yet");
    return { inPlace: trouble === null, trouble };
  }

  /**
   * Captures as the configuration says. Without `rules` nothing new is captured, and flows that were redirected before go
   * on until they end.
   * @throws IptablesError
   */
  async follow(capture: CaptureConfig | undefined): Promise<void> {
    if (this.#isOver) return;
    if (capture?.rules) this.#capture = capture;
    if (capture?.rules) this.#aim = "capture";
    else if (this.#aim === "capture") this.#aim = "drain";
    this.#guard.handleAsked();
    await this.#bringAbout();
  }

  /** Leaves these destinations alone from now on, in place of those before: addresses or prefixes. */
  setLeft(by: LeftBy, destinations: readonly string[]): void {
    if (destinations.join() === (this.#left.get(by) ?? []).join()) return;
    this.#left.set(by, [...destinations]);
    this.#bringAboutAlone(`leave the destinations alone that are new among the ${by}`);
  }

  /** The remote gateway reaches the Internet in these families. */
  setWayOut(wayOut: CaptureState["wayOut"]): void {
    this.#wayOut = wayOut;
    this.#bringAboutAlone("follow the remote gateway's way out");
  }

  /** Redirects nothing new from now on, for good. Never throws. */
  async stopCapturing(): Promise<void> {
    this.#isOver = true;
    if (this.#aim !== "capture") return;
    this.#aim = "drain";
    await this.#try("stop capturing", () => this.#bringAbout());
  }

  /** Removes the rules for good. Never throws. */
  async remove(): Promise<void> {
    this.#isOver = true;
    this.#aim = "nothing";
    await this.#try("remove the redirect rules", () => this.#bringAbout());
  }

  /** For changes that no caller waits for. */
  #bringAboutAlone(what: string): void {
    if (this.#aim === "capture") void this.#try(what, () => this.#bringAbout());
  }

  /** Makes the kernel's rules what they should be, after the change that is under way. @throws IptablesError */
  #bringAbout(): Promise<void> {
    this.#next ??= this.#inTurn(() => {
      this.#next = undefined;
      return this.#apply();
    });
    return this.#next;
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#done.then(work);
    this.#done = done.catch(() => {});
    return done;
  }

  async #apply(): Promise<void> {
    if (this.#aim !== "drain") this.#endDrain();
    if (this.#aim !== "capture") this.#endWatch();
    if (this.#aim === "nothing" || !this.#capture) return this.#clear();
    this.#installed = true;
    if (this.#aim === "capture") return this.#install(this.#capture);
    this.#drain ??= setInterval(() => this.#checkDrained(), DRAIN_PERIOD_MS).unref();
    const outcomes = await applyRules(this.#runner, drainingRules(this.#state(this.#capture)));
    this.#logger.info({ outcomes }, "nothing new is captured");
  }

  async #install(capture: CaptureConfig): Promise<void> {
    if (this.#guard.isPaused) return;
    this.#watch ??= this.#startWatch();
    try {
      const outcomes = await this.#applyRedirect(capture);
      this.#logger.info({ outcomes, from: capture.from }, "redirect rules are in place");
    } catch (error) {
      if (error instanceof IptablesError) this.#guard.handleFailed(error.message);
      throw error;
    }
    this.#hasBegun = true;
    this.#guard.handleInPlace(true);
  }

  #startWatch(): RuleWatch {
    const wanted = (): Family[] => {
      const rules = this.#capture && redirectRules(this.#state(this.#capture));
      return FAMILIES.filter((family) => (rules?.[family] ?? []).length > 0);
    };
    const look = (by: () => string | undefined): Promise<boolean> => {
      let stand = true;
      return this.#inTurn(async () => void (stand = await this.#look(by))).then(() => stand);
    };
    return new RuleWatch({
      logger: this.#logger,
      look,
      wanted,
      ...(this.#listen && { listen: this.#listen }),
    });
  }

  #endWatch(): void {
    this.#watch?.close();
    this.#watch = undefined;
    this.#hasBegun = false;
  }

  /** Resolves with whether the rules are in place. Rules that another program has changed are put back first. */
  async #look(by: () => string | undefined): Promise<boolean> {
    if (this.#aim !== "capture" || !this.#capture) return true;
    const wanted = redirectRules(this.#state(this.#capture));
    try {
      const states = await inspectRules(this.#runner, wanted);
      const amiss = states.flatMap(({ family, differences }) =>
        differences.map((what) => `${family} ${what}`),
      );
      if (amiss.length > 0) {
        if (!this.#guard.handleLost(amiss, by())) return false;
        await this.#applyRedirect(this.#capture);
      }
      this.#guard.handleInPlace(amiss.length > 0);
      return true;
    } catch (error) {
      if (!(error instanceof IptablesError)) throw error;
      this.#guard.handleFailed(error.message);
      return false;
    }
  }

  #state(capture: CaptureConfig): CaptureState {
    const { hasSets } = this.#failed;
    return { capture, left: [...this.#left.values()].flat(), wayOut: this.#wayOut, hasSets };
  }

  /**
   * The kernel may have sets but allow no rules that ask for them: without xt_set or CAP_NET_RAW. @throws IptablesError
   */
  async #applyRedirect(capture: CaptureConfig): Promise<FamilyOutcome[]> {
    await this.#failed.prepare();
    const state = this.#state(capture);
    try {
      return await applyRules(this.#runner, redirectRules(state));
    } catch (error) {
      const isOther = !(error instanceof IptablesError) || error.code === IptablesErrorCode.locked;
      if (isOther || !state.hasSets) throw error;
      const outcomes = await applyRules(this.#runner, redirectRules({ ...state, hasSets: false }));
      await this.#failed.goWithout(error);
      return outcomes;
    }
  }

  async #clear(): Promise<void> {
    if (!this.#installed) return;
    await clearRules(this.#runner, RULES_OWNER);
    await this.#failed.end();
    this.#installed = false;
  }

  #endDrain(): void {
    clearInterval(this.#drain);
    this.#drain = undefined;
  }

  /** Not at stop: the gateway then knows when flows have ended, and removes the rules itself. */
  #checkDrained(): void {
    if (this.#aim !== "drain" || this.#isOver || this.#hasCaptured()) return;
    void this.#try("remove the redirect rules", () => this.#inTurn(() => this.#finishDrain()));
  }

  async #finishDrain(): Promise<void> {
    if (this.#aim !== "drain" || !this.#capture) return;
    // With `rules = false` root may have installed rules of the same name meanwhile: they are not this gateway's.
    const states = await inspectRules(this.#runner, drainingRules(this.#state(this.#capture)));
    if (states.some(({ state }) => state === "differs")) this.#installed = false;
    await this.#clear();
    // A reload may have asked for the rules meanwhile: its change comes next.
    if (this.#aim === "drain") this.#aim = "nothing";
    this.#endDrain();
  }

  async #try(what: string, change: () => Promise<void>): Promise<void> {
    try {
      await change();
    } catch (error) {
      if (!(error instanceof IptablesError)) throw error;
      this.#logger.error({ err: error }, `cannot ${what}; \`hawser-local rules clear\` removes the rules`);
    }
  }
}
