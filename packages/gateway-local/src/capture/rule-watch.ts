import type { Logger } from "@hawser/gateway-kit";
import { type NetlinkSocket, type RulesChange, watchNftables } from "@hawser/linux-sockets";
import type { Family } from "iptables-wrapper";

/** From a change that the kernel tells of to the look at the rules, milliseconds: a reload is many changes. */
const SETTLE_MS = 100;
/** From one look to the next, milliseconds, however much changes: each costs some 20 ms of CPU. */
const LEAST_GAP_MS = 500;
/** How often the rules are looked at without a reason, milliseconds: where the kernel tells of changes, and where not. */
export const TOLD_PERIOD_MS = 120_000;
export const UNTOLD_PERIOD_MS = 2_000;

export interface RuleWatchOptions {
  readonly logger: Logger;
  /** Looks at the rules. `by` has changed them, as far as the kernel says. Says whether they stand. */
  readonly look: (by: string | undefined) => Promise<boolean>;
  /** Families in which there are rules. */
  readonly wanted: () => readonly Family[];
  /** Hears of changes. @throws where the kernel does not tell of them */
  readonly listen?: (
    onChange: (change: RulesChange) => void,
    onLost: () => void,
  ) => Pick<NetlinkSocket, "close">;
}

/**
 * Says when to look whether the rules still stand: at once when the kernel tells of a change, and now and then. It tells of
 * what iptables-nft and nft do. What iptables-legacy does it keeps to itself: a family of which nothing was ever told,
 * although this gateway has changed it, is looked at often.
 */
export class RuleWatch {
  readonly #options: RuleWatchOptions;
  readonly #socket: Pick<NetlinkSocket, "close"> | undefined;
  readonly #told = new Set<Family>();
  #by: string | undefined;
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
    this.#by = by;
    this.#lookIn(SETTLE_MS);
  }

  /** Or earlier, if that is due. */
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
    const by = this.#by;
    const stand = await this.#options.look(by).catch(() => false);
    this.#isLooking = false;
    this.#lastLook = performance.now();
    // What stands was changed by nobody else.
    if (stand && this.#by === by) this.#by = undefined;
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
