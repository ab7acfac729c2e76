import type { Logger } from "@hawser/gateway-kit";
import { type NetlinkSocket, type RulesChange, watchNftables } from "@hawser/linux-sockets";
import type { Family } from "iptables-wrapper";

/** How long after the kernel reports a change the rules are checked, milliseconds: a reload makes many changes. */
const SETTLE_MS = 100;
/** The least time between two checks, milliseconds: a check takes about 20 ms of CPU. */
const LEAST_GAP_MS = 500;
/**
 * How often the rules are checked without a report, milliseconds: where the kernel reports changes, and where it does
 * not.
 */
export const TOLD_PERIOD_MS = 120_000;
export const UNTOLD_PERIOD_MS = 2_000;

/** The commands by which this gateway puts rules back, as the kernel names them. Other programs use them, too. */
const OWN_COMMAND = /^ip6?tables-resto/;

export interface RuleWatchOptions {
  readonly logger: Logger;
  /**
   * Checks the rules. `by` tells which program has changed rules last, where the kernel says so: it may do so during the
   * check. Resolves with whether the rules are in place.
   */
  readonly look: (by: () => string | undefined) => Promise<boolean>;
  /** The families that have rules. */
  readonly wanted: () => readonly Family[];
  /** Subscribes to the kernel's reports of changes. @throws when the kernel gives none */
  readonly listen?: (
    onChange: (change: RulesChange) => void,
    onLost: () => void,
  ) => Pick<NetlinkSocket, "close">;
}

/**
 * Decides when to check whether the rules are in place: at once when the kernel reports a change, and from time to time.
 * The kernel reports changes by iptables-nft and nft, but not those by iptables-legacy. When it has reported nothing of a
 * family although this gateway has changed it, that family is checked often.
 */
export class RuleWatch {
  readonly #options: RuleWatchOptions;
  readonly #socket: Pick<NetlinkSocket, "close"> | undefined;
  readonly #told = new Set<Family>();
  #by: string | undefined;
  /** Another program has changed rules since the check began. */
  #isChanged = false;
  #timer: NodeJS.Timeout | undefined;
  #due = Number.POSITIVE_INFINITY;
  #lastLook = Number.NEGATIVE_INFINITY;
  #isLooking = false;
  #isClosed = false;

  constructor(options: RuleWatchOptions) {
    this.#options = options;
    this.#socket = this.#open(options.listen ?? watchNftables);
    this.#lookIn(UNTOLD_PERIOD_MS);
  }

  #open(listen: NonNullable<RuleWatchOptions["listen"]>): Pick<NetlinkSocket, "close"> | undefined {
    try {
      return listen(
        (change) => this.#handleChange(change),
        () => this.#lookIn(SETTLE_MS),
      );
    } catch (error) {
      this.#options.logger.info(
        { err: error },
        "the kernel tells of no changed rules: they are looked at often",
      );
      return undefined;
    }
  }

  #handleChange({ ipv4, ipv6, by }: RulesChange): void {
    if (ipv4) this.#told.add("ipv4");
    if (ipv6) this.#told.add("ipv6");
    // During a check it is this gateway that puts rules back.
    if (!this.#isLooking || !OWN_COMMAND.test(by ?? "")) {
      this.#by = by;
      this.#isChanged = true;
    }
    this.#lookIn(SETTLE_MS);
  }

  /** Checks after this time, or earlier if a check is due. */
  #lookIn(delayMs: number): void {
    const now = performance.now();
    const due = Math.max(now + delayMs, this.#lastLook + LEAST_GAP_MS);
    if (this.#isClosed || due >= this.#due) return;
    this.#due = due;
    if (this.#isLooking) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#look(), due - now).unref();
  }

  async #look(): Promise<void> {
    this.#due = Number.POSITIVE_INFINITY;
    this.#isLooking = true;
    this.#isChanged = false;
    const stand = await this.#options.look(() => this.#by).catch(() => false);
    this.#isLooking = false;
    this.#lastLook = performance.now();
    // The rules are in place: the program that was named has changed something else.
    if (stand && !this.#isChanged) this.#by = undefined;
    const isTold = this.#options.wanted().every((family) => this.#told.has(family));
    const again = this.#due;
    this.#due = Number.POSITIVE_INFINITY;
    if (again < Number.POSITIVE_INFINITY) this.#lookIn(again - performance.now());
    this.#lookIn(stand && isTold ? TOLD_PERIOD_MS : UNTOLD_PERIOD_MS);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#socket?.close();
  }
}
